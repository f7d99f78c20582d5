"""``python -m mtrl.compare``: tables that fit a terminal, files whose shape is documented, errors before work."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mtrl import compare as command
from mtrl.comparison.compare import compare
from mtrl.comparison.tables import legend, tables_of
from mtrl.errors import UsageError
from mtrl.gathering.gather import gather
from tests.mtrl.made_runs import make_run

TASKS = [f"pick-place-{k}" for k in range(10)]
AGENTS = ("care", "mtsac", "mtmhsac", "single-task", "sb3")


def full(root: Path, seeds: int = 3) -> Path:
    """Five agents on ten tasks; care's later tasks are worse, and it has twice the parameters."""
    for place, agent in enumerate(AGENTS):
        for seed in range(seeds):
            scores = {task: round(1 - 0.02 * (k * (agent == "care")) - 0.01 * seed, 4) for k, task in enumerate(TASKS)}
            make_run(root, agent, seed, scores, parameters=123_456 * (2 if place == 0 else 1))
    return root / "tabletop"


def shown(root: Path, width: int = 80) -> list[str]:
    out = io.StringIO()
    comparison = compare(gather([root]))
    console = Console(file=out, width=width)
    for table in tables_of(comparison):
        console.print(table)
    console.print(legend(comparison))
    return out.getvalue().splitlines()


def test_five_agents_and_ten_tasks_fit_80_columns_uncut(tmp_path: Path) -> None:
    lines = shown(full(tmp_path))
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if "…" in line]
    # A row that is folded has lines without a first cell, or a piece of one.
    rows = [line.split()[0] for line in lines if line.startswith(" ") and line.strip() and "─" not in line]
    allowed = {"agent", "task", "a", "mean", *AGENTS, *TASKS}
    assert set(rows) <= allowed, set(rows) - allowed
    assert sum(line.split()[:1] == [TASKS[3]] for line in lines) == 5  # the scores, and four agents' effects


def test_the_cells_are_those_of_the_comparison(tmp_path: Path) -> None:
    lines = shown(full(tmp_path))
    at = {line.split()[0]: line.split() for line in lines[:9] if line.startswith(" ") and line.split()}
    assert at["care"][:3] == ["care", "3", "0.90"]
    assert at["care"][-2:] == ["pick-place-9", "0.81"]
    sizes = [line for line in lines if "246,912" in line or "123,456" in line]
    assert [("2.0x !" in line, "1.0x" in line) for line in sizes] == [(True, False)] + [(False, True)] * 4
    effects = next(i for i, line in enumerate(lines) if line.startswith("care (3 seeds) against single-task (3 seeds)"))
    last = next(line for line in lines[effects:] if line.split()[:1] == ["pick-place-9"])
    assert last.split()[1] == "-0.18"
    assert last.rstrip().endswith("hurt")
    first = next(line for line in lines[effects:] if line.split()[:1] == ["pick-place-0"])
    assert first.rstrip().endswith("no difference")
    assert "no difference: none is significant at this number of seeds" in lines


def test_one_seed_says_so_in_every_row_and_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full(tmp_path, seeds=1)
    assert command.main([str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "one seed proves nothing: care, mtmhsac, mtsac, sb3, single-task have only one" in " ".join(out.split())
    assert out.count("one seed\n") + out.count("one seed ") >= 40
    assert "[" not in out.replace("[(", "")


def test_names_of_the_users_are_shown_as_they_are(tmp_path: Path) -> None:
    for agent in ("care", "single-task"):
        make_run(tmp_path, agent, scores={"[red]a[/red]": 0.5})
    assert sum("[red]a[/red]" in line for line in shown(tmp_path)) == 4


def test_the_files_hold_a_row_per_run_and_task_and_all_that_was_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = full(tmp_path / "runs")
    assert command.main([str(suite)]) == 0
    assert f"{suite / 'compare.json'} and {suite / 'compare.csv'}" in " ".join(capsys.readouterr().out.split())
    with (suite / "compare.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 * 3 * 10
    assert {name: rows[0][name] for name in ("agent", "seed", "task", "score", "parameters", "steps_to_95")} == {
        "agent": "care",
        "seed": "0",
        "task": "pick-place-0",
        "score": "1.0",
        "parameters": "246912",
        "steps_to_95": "1000",
    }
    held = json.loads((suite / "compare.json").read_text())
    assert held["baseline"] == "single-task"
    assert len(held["effects"]) == 40
    # What it wrote there is no obstacle to doing it again.
    assert command.main([str(suite / "*"), "--out", str(tmp_path / "new" / "place")]) == 0
    assert (tmp_path / "new/place/compare.csv").read_bytes() == (suite / "compare.csv").read_bytes()


@pytest.mark.parametrize("spoilt", ["a file", "below a file", "a folder's name taken"])
def test_where_nothing_can_be_written_nothing_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt: str
) -> None:
    make_run(tmp_path)
    out = tmp_path / "out"
    if spoilt == "a folder's name taken":
        (out / "compare.json").mkdir(parents=True)
    else:
        out.touch()
        out = out / "below" if spoilt == "below a file" else out
    monkeypatch.setattr("mtrl.comparison.output.compare", lambda *_: pytest.fail("computed"))
    with pytest.raises(UsageError, match="--out .* cannot be written"):
        command.main([str(tmp_path), "--out", str(out)])


def test_bad_input_is_one_line_and_exit_2(tmp_path: Path) -> None:
    make_run(tmp_path)
    make_run(tmp_path, "mtsac", scores={"other": 0.5})
    for arguments in ([], [str(tmp_path)], [str(tmp_path / "x")], ["--baselin", "y"]):
        said: Any = subprocess.run(
            [sys.executable, "-m", "mtrl.compare", *arguments], capture_output=True, text=True, check=False
        )
        assert (said.returncode, said.stdout) == (2, "")
        assert said.stderr.startswith("error: ")
        assert said.stderr.count("\n") == 1


def test_a_run_of_another_budget_refuses_nothing_and_is_taken_by_asking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (0, 1):
        make_run(tmp_path, seed=seed)
    short = make_run(tmp_path, "mtsac", steps_per_task=9)
    assert command.main([str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert said.err == (
        f"warning: set aside: 9 steps per task rather than 4,000, in {str(short)!r}; "
        "--steps-per-task 9 takes it instead\n"
    )
    assert "mtsac" not in said.out
    assert command.main([str(tmp_path), "--steps-per-task", "9"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "success after 9 steps per task" in said.out


def test_what_is_left_out_is_said_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path)
    (make_run(tmp_path, seed=1) / "result.json").unlink()
    assert command.main([str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("warning: left out: ")
    assert said.err.count("\n") == 1
    assert "left out" not in said.out
