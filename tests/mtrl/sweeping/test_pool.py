"""The runs of a sweep: followed, outliving failures, and ended with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from mtrl import sweep
from mtrl.sweeping.plan import Job, make_plan
from mtrl.sweeping.pool import Running, run_all
from mtrl.terminal.interrupt import Stopped
from tests.mtrl.made_runs import make_run


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
