"""Names and paths of all kinds go through a training, its tables and files; those that cannot are refused before it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mtrl import compare, report
from mtrl.comparison.output import as_cell
from mtrl.gathering.gather import gather
from tests.mtrl.conftest import Said
from tests.mtrl.made_runs import make_run

ODD = ("x[/y]", "=1+1", "a/b", "tür", "$\\frac{", ":smile:", "<b>bold</b>")
SUITE = f"""
from functools import partial
import gymnasium as gym
from mtrl import Task, TaskSuite
make = partial(gym.make, "Pendulum-v1", max_episode_steps=4)
suite = TaskSuite("s[/b]", [Task(name, make, f"Do {{name}}.") for name in {ODD!r}])
"""
FLAGS = (
    *("--steps-per-task", "16", "--envs-per-task", "1", "--batch-per-task", "2", "--random-steps", "4"),
    *("--eval-every", "8", "--eval-episodes", "1", "--hidden", "8", "--workers", "0", "--threads", "1"),
)


def test_odd_names_and_paths_are_trained_shown_and_compared_as_they_are(
    call: Callable[..., Said], plug_in: Callable[..., str], tmp_path: Path
) -> None:
    name = plug_in(SUITE, "odd_names")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mtrl.train", "--suite", f"{name}:suite", *FLAGS, "--runs-dir", "r[/x]"],
        env={"PYTHONIOENCODING": "ascii", "PATH": "", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    for odd in ODD:
        assert odd.encode("ascii", "backslashreplace") in done.stdout
    assert b"tensorboard --logdir r[/x]" in done.stdout
    said = call(compare.main, tmp_path / "r[/x]")
    assert said.code == 0
    assert [odd for odd in ODD if odd not in said.out] == []
    assert call(report.main, tmp_path / "r[/x]").code == 0
    (care,) = (run for run in gather([tmp_path / "r[/x]"]).runs if run.config.agent == "care")
    assert care.curves["eval/return/a-b"].steps.tolist() == [8, 16]
    compared = json.loads(next(tmp_path.rglob("compare.json")).read_text())
    assert "a/b" in json.dumps(compared)


@pytest.mark.parametrize(
    ("text", "cell"), [("=1+1", "'=1+1"), ("+x", "'+x"), ("-x", "'-x"), ("@x", "'@x"), ("a=", "a=")]
)
def test_text_that_a_spreadsheet_would_compute_is_quoted(text: str, cell: str) -> None:
    assert as_cell(text) == cell
    assert [as_cell(value) for value in (-0.5, None, 3)] == [-0.5, None, 3]


def test_the_table_of_runs_holds_no_formula(tmp_path: Path) -> None:
    make_run(tmp_path, scores={"=1+1": 0.5})
    assert compare.main([str(tmp_path), "--out", str(tmp_path)]) == 0
    with (tmp_path / "compare.csv").open(newline="") as file:
        assert {row["task"] for row in csv.DictReader(file)} == {"'=1+1"}
