"""``python -m mtrl.sweep``: a plan checked whole before it runs, resumed, interrupted, and outliving failures."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console

from mtrl import sweep
from mtrl.errors import UsageError
from mtrl.runs.folder import read_run
from mtrl.sweeping.plan import Job, make_plan
from mtrl.sweeping.pool import Running, run_all
from mtrl.terminal.interrupt import Stopped
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


@dataclass(frozen=True, eq=False)
class Scripted(Job):
    """A job that runs a few lines of Python instead of a training."""

    script: str = ""

    def command(self, unfinished: Path | None = None) -> list[str]:
        return [sys.executable, "-c", textwrap.dedent(self.script)]


def scripted(root: Path, *scripts: str) -> list[Scripted]:
    """A job per script, seeds 0, 1, ..."""
    plan = make_plan("tabletop", ["mtsac"], list(range(len(scripts))), 1, root, ["--steps-per-task", "4000"])
    return [
        Scripted(job.arguments, job.config, job.folder, script=script)
        for job, script in zip(plan, scripts, strict=True)
    ]


def finishing(root: Path, seed: int) -> str:
    """A script that puts a finished run where a training would."""
    made = make_run(root / "made", "mtsac", seed)
    target = root / "tabletop/mtsac" / made.name
    return f"import shutil; print('trained'); shutil.copytree({str(made)!r}, {str(target)!r})"


def test_one_failing_run_does_not_stop_the_rest_and_is_named_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = scripted(
        tmp_path,
        "import sys; print('step 1'); print('error: the arm fell off', file=sys.stderr); print('bye'); sys.exit(1)",
        finishing(tmp_path, 1),
        "raise ValueError('odd')",
        "import os; os.kill(os.getpid(), 9)",
        "print('ended early')",
    )
    assert sweep.sweep(jobs, 2, Console(width=200)) == 1
    said = capsys.readouterr().out
    (log, *_) = [job.log for job in jobs]
    assert said.splitlines()[-4:] == [
        f"failed: mtsac seed 0: the arm fell off (exit code 1) (log: {log})",
        f"failed: mtsac seed 2: ValueError: odd (exit code 1) (log: {jobs[2].log})",
        f"failed: mtsac seed 3: ended by signal 9: no output (log: {jobs[3].log})",
        f"failed: mtsac seed 4: ended early (exit code 0, and no finished run) (log: {jobs[4].log})",
    ]
    assert "mtsac seed 1: done" in said
    assert log.read_text().startswith("step 1")
    assert (tmp_path / "tabletop/compare.json").is_file()


def test_where_every_run_failed_there_is_nothing_to_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweep.sweep(scripted(tmp_path, "raise SystemExit(3)"), 1, Console(width=200)) == 1
    assert "failed: mtsac seed 0: no output (exit code 3)" in capsys.readouterr().out
    assert not (tmp_path / "tabletop/compare.json").exists()


def test_a_running_job_shows_its_step_and_success(tmp_path: Path) -> None:
    """Lines come bit by bit; one is half there when it is looked at."""
    (job,) = scripted(tmp_path, "")
    old = make_run(tmp_path, "mtsac", 0, settings={"hidden": (9,)})  # not the one that is running
    running = Running(job, subprocess.Popen([sys.executable, "-c", ""]), {old})
    running.process.wait()
    running.look()
    assert (running.step, running.score) == (0, "")
    path = job.folder / "seed0-2"
    path.mkdir()
    for text, step, score in (
        ("step,seconds,tag,value\n1000,1.0,eval/return,-3.25\n", 1000, "return -3.25"),
        ("2000,2.0,eval/success_rate,0.5\n2000,2.0,eval/return,7\n30", 2000, "success any 0.50"),
        ('00,3.0,"train/a,b",1\n', 3000, "success any 0.50"),
    ):
        with (path / "metrics.csv").open("a") as file:
            file.write(text)
        running.look()
        assert (running.step, running.score) == (step, score)


def test_a_resumed_job_whose_metrics_are_cut_to_its_checkpoint_is_followed_from_there(tmp_path: Path) -> None:
    """The lines that follow have other lengths, so that what was read before ends within a letter."""
    (job,) = scripted(tmp_path, "")
    running = Running(job, subprocess.Popen([sys.executable, "-c", ""]), set())
    running.process.wait()
    path = job.folder / "seed0"
    path.mkdir(parents=True)
    kept, lost = "step,seconds,tag,value\n1000,1.0,eval/success_rate,0.25\n", "9000,1.0,train/q,1\n"
    (path / "metrics.csv").write_text(kept + lost)
    running.look()
    assert (running.step, running.score) == (9000, "success any 0.25")
    (path / "metrics.csv").write_text(kept)
    running.look()
    assert (running.step, running.score) == (1000, "success any 0.25")
    (path / "metrics.csv").write_text(kept + lost)
    running.look()
    (path / "metrics.csv").write_text(f"{kept}2000,11,{'é' * 60},1\n2000,1.0,eval/success_rate,0.5\n")  # regrown unseen
    running.look()
    assert running.score == "success any 0.50"


STUBBORN = """
    import signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    open({path!r}, "w").write(str(child.pid) + "\\n")
    time.sleep(600)
"""


@pytest.mark.parametrize("times", [1, 2])
def test_a_run_that_does_not_end_when_asked_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """After a while, or at once when Ctrl-C comes again."""
    note = tmp_path / "pid"
    monkeypatch.setattr("mtrl.sweeping.pool.PATIENCE", 0.2 if times == 1 else 600.0)
    jobs = scripted(tmp_path, STUBBORN.format(path=str(note)), "")

    def stop() -> None:
        while not note.exists() or not note.read_text().endswith("\n"):
            time.sleep(0.05)
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1.0)  # as a person would

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Stopped if times == 1 else KeyboardInterrupt):
        run_all(jobs, 1, Console(width=200))
    thread.join()
    wait_until_gone(int(note.read_text()))


def wait_until_gone(number: int) -> None:
    """The orphan is init's to bury, which may take it a moment."""
    try:
        process = psutil.Process(number)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.05)
    except psutil.NoSuchProcess:
        return


SIGNALLED_FIRST = "import os, signal; open({path!r}, 'w').close(); os.kill(os.getpid(), signal.SIGTERM)"


def test_a_signal_that_reaches_a_run_before_the_sweep_does_not_start_the_next_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where a system ends a job: it signals every process of it, in any order."""
    ended, started = tmp_path / "ended", tmp_path / "started"
    jobs = scripted(tmp_path, SIGNALLED_FIRST.format(path=str(ended)), f"open({str(started)!r}, 'w').close()")

    def stop() -> None:
        while not ended.exists():
            time.sleep(0.05)
        time.sleep(0.6)  # several looks at the run
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Stopped):
        run_all(jobs, 1, Console(width=200))
    thread.join()
    assert not started.exists()
    assert "stopped; 2 of 2 runs are missing" in capsys.readouterr().out


def test_a_run_that_alone_was_asked_to_end_has_failed_and_the_next_one_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtrl.sweeping.pool.GRACE", 0.3)
    first, second = scripted(tmp_path, SIGNALLED_FIRST.format(path=str(tmp_path / "ended")), finishing(tmp_path, 1))
    assert run_all([first, second], 1, Console(width=200)) == {first: "ended by signal 15: no output"}


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
