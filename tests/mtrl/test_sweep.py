"""``python -m mtrl.sweep``: a plan checked whole before it runs, resumed, and interrupted."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console

from mtrl import sweep
from mtrl.errors import UsageError
from mtrl.runs.folder import read_run
from mtrl.sweeping.plan import make_plan
from tests.mtrl.made_runs import make_run

TINY = "--steps-per-task 60 --envs-per-task 2 --random-steps 20 --batch-per-task 4 --eval-every 30 --eval-episodes 1"
TINY_FLAGS = [*TINY.split(), "--hidden", "8", "8", "--log-every", "30"]


@pytest.mark.parametrize(
    ("text", "seeds"), [("0-4", [0, 1, 2, 3, 4]), ("0,2,5", [0, 2, 5]), (" 3 ", [3]), ("0-2,7,1", [0, 1, 2, 7])]
)
def test_seeds_are_read(text: str, seeds: list[int]) -> None:
    assert sweep.seeds_of(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "-1", "4-0", "1,,2", "0-", "1.5", "0-99999", "0--3"])
def test_seeds_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--seeds is "):
        sweep.seeds_of(text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--agents", "car"], "unknown agent 'car'.* Did you mean 'care'"),
        (["--agents", "care,"], "unknown agent ''"),
        (["--seeds", "x"], "--seeds is 'x'"),
        (["--seeds", "9999999999", "--agents", "care"], "--seed is 9999999999; it must be at most"),
        (["--jobs", "0"], "--jobs is 0"),
        (["--steps-per-task", "300"], "Flags of mtrl.train go after --"),
        (["--lora-rank", "8"], "Flags of mtrl.train go after --"),
        (["--agent", "care"], "Did you mean --agents"),
        (["--suite", "tabletopp"], "unknown suite 'tabletopp'"),
        (["--agents", "care,mtsac", "--", "--encoders", "6"], "mtsac: .*--encoders"),
        (["--", "--steps-per-task", "0"], "care: --steps-per-task is 0"),
        (["--", "--tasks", "reech"], "unknown task 'reech'"),
        (["--", "--seed", "3"], "--seed cannot be given after --; give --seeds before"),
        (["--", "--runs_dir=x"], "--runs-dir cannot be given after --"),
        (["--suite", "tabletop", "--agents", "care", "--", "--context", "numbers"], "numbers"),
    ],
)
def test_whatever_any_run_would_refuse_is_refused_before_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("started"))
    with pytest.raises(ValueError, match=said):
        sweep.main(arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_prints_a_command_a_line_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envs.stepping.pace.processors", lambda: 6)
    arguments = ["--suite", "tabletop", "--agents", "care,sb3", "--seeds", "3,1", "--jobs", "2", "--dry-run"]
    arguments += ["--runs-dir", str(tmp_path / "r")]
    assert sweep.main([*arguments, "--", "--steps-per-task", "7000"]) == 0
    lines = [line.partition(": ") for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["care seed 3", "sb3 seed 3", "care seed 1", "sb3 seed 1"]
    words = shlex.split(lines[1][2])
    assert words[words.index("mtrl.train") :][:9] == [
        *("mtrl.train", "--suite", "tabletop", "--agent", "sb3", "--seed", "3", "--baseline", "none")
    ]
    assert words[-6:] == ["--threads", "3", "--jobs", "3", "--steps-per-task", "7000"]
    assert not (tmp_path / "r").exists()


def test_a_sweep_runs_what_is_missing_and_ends_with_the_comparison(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "--suite",
        "tabletop",
        "--agents",
        "mtsac,single-task",
        "--seeds",
        "1",
        "--jobs",
        "2",
        "--runs-dir",
        str(tmp_path),
    ]
    arguments += ["--", *TINY_FLAGS, "--tasks", "reach", "push"]
    assert sweep.main(arguments) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2 of 2" in said
    assert "mtsac (1 seed) against single-task (1 seed)" in said
    held = json.loads((tmp_path / "tabletop/compare.json").read_text())
    assert [(agent["label"], agent["seeds"]) for agent in held["agents"]] == [("mtsac", [1]), ("single-task", [1])]
    config, _ = read_run(tmp_path / "tabletop/mtsac/seed1")
    assert (config.baseline, config.steps_per_task, config.tasks) == ("none", 60, ("reach", "push"))
    assert sweep.main(["--dry-run", *arguments]) == 0
    assert capsys.readouterr().out.count("already exists") == 2


@pytest.mark.parametrize("why", ["unfinished", "damaged", "another budget", "other settings"])
def test_only_a_finished_run_that_was_told_the_same_is_there_already(tmp_path: Path, why: str) -> None:
    (job,) = make_plan("tabletop", ["mtsac"], [0], 1, tmp_path, ["--steps-per-task", "4000"])
    assert job.finished() is None
    options: dict[str, Any] = {
        "another budget": {"steps_per_task": 4001},
        "other settings": {"settings": {"hidden": (64,)}},
    }.get(why, {})
    path = make_run(tmp_path, "mtsac", **options)
    if why == "unfinished":
        (path / "result.json").unlink()
    elif why == "damaged":
        (path / "metrics.csv").write_text("?")
    assert job.finished() is None
    again = make_run(tmp_path, "mtsac", name="seed0-2", threads=3, baseline="sb3", runs_dir=Path("elsewhere"))
    make_run(tmp_path, "mtsac", 0, name="seed00")  # another name: never one of seed 0
    run = job.finished()
    assert run is not None
    assert run.path == again


def test_a_finished_run_of_other_code_is_taken_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = make_plan("tabletop", ["mtsac"], [0, 1], 1, tmp_path, ["--steps-per-task", "4000"])
    for seed in (0, 1):
        make_run(tmp_path, "mtsac", seed)
    monkeypatch.setattr("mtrl.runs.folder.git_state", lambda: {"commit": "e" * 40, "changed": False})
    monkeypatch.setattr("mtrl.sweeping.pool.run_all", lambda *_: pytest.fail("started"))
    assert sweep.sweep(plan, 1, Console(width=200)) == 0
    assert "(made with other code: commit ccccccccc)" in capsys.readouterr().out


def test_ctrl_c_ends_the_trainings_cleanly_and_leaves_none(tmp_path: Path) -> None:
    flags = [word if word != "60" else "1000000" for word in TINY_FLAGS]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "mtrl.sweep", "--suite", "tabletop", "--agents", "mtsac", "--seeds", "0-1"),
            *("--runs-dir", str(tmp_path), "--", *flags, "--tasks", "reach"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    metrics = tmp_path / "tabletop/mtsac/seed0/metrics.csv"
    while not metrics.is_file() or metrics.stat().st_size < 100:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate()
    assert process.returncode == 130
    assert "stopped; 2 of 2 runs are missing; run the same command again to continue" in said
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert (tmp_path / "tabletop/mtsac/seed0/weights.safetensors").is_file()  # it was asked, and ended as runs do
