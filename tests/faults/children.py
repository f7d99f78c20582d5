"""Processes forked off this one, so that torch is not imported anew for each, ended as a system ends them."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from mtrl import train

LOOK_EVERY = 0.005  # seconds
PATIENCE = 120.0  # seconds that a child may take for what should take a few


class Child:
    """A process that does ``work``; what it prints goes into the file ``log``, its exit code is what ``work`` returns.

    ``mark``, a word, stands in its environment and in that of all that it starts.
    """

    def __init__(self, work: Callable[[], Any], log: Path, mark: str = "") -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads of TensorBoard's that have nothing to do
            self.pid = os.fork()
        if self.pid == 0:
            _work(work, log, mark)
        self.log = log
        self._code: int | None = None

    def code(self) -> int | None:
        """Return the exit code, negative for a signal's number, or None while the process runs."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def wait(self, seconds: float = PATIENCE) -> int | None:
        """Wait for the end -> exit code, or None where it had to be killed."""
        if wait_for(lambda: self.code() is not None, seconds):
            return self.code()
        self.signal(signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None

    def signal(self, number: int) -> None:
        """Send a signal, unless the process is over."""
        if self.code() is None:
            os.kill(self.pid, number)

    def last_line(self) -> str:
        """Return the last line that it printed."""
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1] if lines else "it printed nothing"


def wait_for(true: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is true -> whether it came to be, in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(LOOK_EVERY)
    return True


def training(arguments: list[str], prepare: Callable[[], None] | None = None) -> Callable[[], int]:
    """Return what trains as the command does; ``prepare`` is called before, in the same process."""

    def work() -> int:
        if prepare is not None:
            prepare()
        sys.argv = ["mtrl-train", *arguments]
        return train.run()

    return work


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes that run and have inherited a mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("FAULTS_MARK") == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def _work(work: Callable[[], Any], log: Path, mark: str) -> None:
    """Work in the child, and never return from it."""
    code = 1
    try:
        with log.open("wb") as file:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
        sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):  # nohup has the second ignored
            signal.signal(number, signal.SIG_DFL)
        if mark:
            os.environ["FAULTS_MARK"] = mark
        code = int(work() or 0)
    except BaseException:  # noqa: BLE001  # whatever it is, the parent reads it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
