"""Run jobs as processes, several at a time: start, monitor and stop them together."""

from __future__ import annotations

import contextlib
import csv
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtrl.errors import UsageError
from mtrl.guard import HOME
from mtrl.runs.folder import METRICS, read_run, seed_folders
from mtrl.runs.reuse import same_run
from mtrl.sweeping.plan import Job
from mtrl.sweeping.progress import SweepDisplay
from mtrl.terminal.cli import SIGNALLED
from mtrl.terminal.guardian import guarded
from mtrl.terminal.interrupt import NAMES, Stopped, StopRequest

if TYPE_CHECKING:
    from rich.console import Console

POLL_INTERVAL = 0.2  # seconds
PATIENCE = 60.0  # seconds for a run to end after it was asked to
GRACE = 2.0  # seconds in which a signal that ended a run may also reach the sweep
ASKING = {int(getattr(signal, name)) for name in NAMES if hasattr(signal, name)}  # signals that ask a run to end


@dataclass
class Running:
    """A run in its own process, and its progress according to its ``metrics.csv``."""

    job: Job
    process: subprocess.Popen[bytes]
    before: set[Path]
    step: int = 0
    score: str = ""
    _read: int = field(default=0, repr=False)
    _ended: float | None = field(default=None, repr=False)

    def over(self) -> bool:
        """Return whether the process has ended; one that was asked to end by a signal counts only after a while.

        A system that ends a job signals all of its processes: the sweep is then to stop too, and not to start the next.
        """
        code = self.process.poll()
        if code is None:
            return False
        now = time.monotonic()
        self._ended = now if self._ended is None else self._ended
        return _signal_of(code) not in ASKING or now - self._ended >= GRACE

    def look(self) -> None:
        """Read the new lines of ``metrics.csv``, or all of them again once it is cut, as by a run that is resumed."""
        paths = seed_folders(self.job.folder, self.job.config.seed)
        new = [path for path in paths if path not in self.before and not self._belongs_to_another(path)]
        if not new:
            return
        with contextlib.suppress(OSError), (new[0] / METRICS).open("rb") as file:
            if os.fstat(file.fileno()).st_size < self._read:
                self._read = self.step = 0
            file.seek(self._read)
            text = file.read()
            complete = text[: text.rfind(b"\n") + 1]  # the last line may be half written
            self._read += len(complete)
            for row in csv.reader(complete.decode(errors="replace").splitlines()):
                if len(row) == 4 and row[0].isdigit():
                    self._take(int(row[0]), row[2], row[3])

    def _belongs_to_another(self, path: Path) -> bool:
        """Return whether a run folder belongs to another job of the same agent and seed, which may run concurrently."""
        try:
            return not same_run(read_run(path)[0], self.job.config)
        except UsageError:
            return False  # nothing is written yet

    def _take(self, step: int, tag: str, value: str) -> None:
        self.step = max(self.step, step)
        if tag == "eval/success_rate":
            self.score = f"success any {float(value):.2f}"
        elif tag == "eval/return" and not self.score.startswith("success"):
            self.score = f"return {float(value):.4g}"


def run_all(jobs: Sequence[Job], at_once: int, console: Console) -> dict[Job, str]:
    """Run the jobs, ``at_once`` at a time; return the reasons of those that failed, which do not stop the others.

    Raises ``Stopped`` after SIGINT or SIGTERM: no more jobs are started, and running ones are asked to end and have
    ended by then. They are asked to end even if the sweep is killed.
    """
    waiting, running, failures = list(jobs), list[Running](), dict[Job, str]()
    with guarded(PATIENCE), StopRequest() as stop, SweepDisplay(console, len(jobs)) as display:
        try:
            while (waiting or running) and not stop:
                while waiting and len(running) < at_once and not stop:
                    running.append(_start(waiting.pop(0)))
                    display.started(running[-1].job)
                time.sleep(POLL_INTERVAL)
                for one in list(running):
                    one.look()
                    display.update(one.job, one.step, one.score)
                    if not one.over():
                        continue
                    running.remove(one)
                    _kill(one)
                    why = _why_failed(one)
                    if why:
                        failures[one.job] = why
                    display.ended(one.job, why)
        finally:
            _stop(running)
    if stop.signal is not None:
        missing = len(waiting) + len(running)
        console.print(f"stopped; {missing} of {len(jobs)} runs are missing; run the same command again to continue")
        raise Stopped(stop.signal)
    return failures


def _start(job: Job) -> Running:
    """Start a run in a separate session: Ctrl-C reaches only the sweep, which asks the run to end."""
    job.log.parent.mkdir(parents=True, exist_ok=True)
    unfinished = job.unfinished()
    before = set(seed_folders(job.folder, job.config.seed)) - {unfinished}
    # The same packages as here, wherever they were found; unbuffered, so that the log's lines are in order.
    path = os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH")]))
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    with job.log.open("wb") as log:
        process = subprocess.Popen(
            job.command(unfinished),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    return Running(job, process, before)


def _stop(running: Sequence[Running]) -> None:
    """Ask runs to end, and kill those that have not after a while, or at once if the user asks again."""
    try:
        for one in running:
            one.process.terminate()
        for one in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.process.wait(PATIENCE)
    finally:
        for one in running:
            _kill(one)


def _kill(one: Running) -> None:
    """Kill all remaining processes of a run's session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(one.process.pid, signal.SIGKILL)
    one.process.wait()


def _why_failed(one: Running) -> str:
    """Return the last output of a failed run, empty for one that finished."""
    code = one.process.returncode
    if code == 0 and one.job.finished():
        return ""
    lines = [line.strip() for line in one.job.log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error: ")] or lines[-1:]
    message = errors[-1].removeprefix("error: ") if errors else "no output"
    if number := _signal_of(code):
        return f"ended by signal {number}: {message}"
    return f"{message} (exit code {code}{'' if code else ', and no finished run'})"


def _signal_of(code: int) -> int:
    """Return the number of the signal that an exit code stands for, or 0."""
    return -code if code < 0 else max(code - SIGNALLED, 0)
