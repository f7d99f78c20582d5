"""A small process that watches a run, and ends what the run had started if the run itself is killed.

The system lets children of a process that is killed live on, and no code of that process can end them. What is started
under ``guarded`` inherits a mark in its environment; this file, run as a script, looks for that mark.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

MARK = "MTRL_GUARDED_BY"  # an environment variable: the marks of all guardians, outermost first
LOOK_EVERY = 0.5  # seconds
REAP = 5.0  # seconds in which one that was told to go is gone
ROUNDS = 5  # of killing, since what is killed may just have started something
SPARED = "multiprocessing.resource_tracker"  # ends by itself, and tidies up before


@contextmanager
def guarded(patience: float = 0.0) -> Iterator[None]:
    """Have all that is started meanwhile end if this process is killed; where it ends by itself, nothing is done.

    With ``patience``, those that lead a session are asked to end (SIGTERM) and given so many seconds. Only processes
    that were forked from this one and never ran another program are not found.
    """
    before, own = os.environ.get(MARK), uuid.uuid4().hex
    watcher = _started(own, patience)
    if watcher is None:
        yield  # what was started ends by the other means that it has
        return
    os.environ[MARK] = own if before is None else f"{before}:{own}"
    try:
        yield
    finally:
        os.environ.pop(MARK, None)
        if before is not None:
            os.environ[MARK] = before
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            watcher.communicate(b".", timeout=REAP)


def _started(mark: str, patience: float) -> subprocess.Popen[bytes] | None:
    """Start this file, or return None where the system does not let us, or cannot wait for a pipe and the time."""
    if os.name != "posix":
        return None
    try:
        return subprocess.Popen(
            [sys.executable, "-E", "-P", __file__, mark, str(os.getpid()), str(patience)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=os.path.sep,
            env={name: value for name, value in os.environ.items() if name != MARK},
            start_new_session=True,  # neither Ctrl-C nor a terminal that closes is meant for it
        )
    except OSError:
        return None


def watch(mark: str, parent: int, patience: float) -> None:
    """Wait until the parent says that it is over, or is gone; then end what bears the mark."""
    while os.getppid() == parent:
        if select.select([sys.stdin], [], [], LOOK_EVERY)[0]:
            if os.read(sys.stdin.fileno(), 1):
                return
            break
    if patience:
        for process in _marked(mark):
            with contextlib.suppress(psutil.Error, OSError):
                if os.getsid(process.pid) == process.pid:
                    process.terminate()
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and _marked(mark):
            time.sleep(LOOK_EVERY)
    for _ in range(ROUNDS):
        for process in _marked(mark):
            with contextlib.suppress(psutil.Error):
                process.kill()


def _marked(mark: str) -> list[psutil.Process]:
    """Return the processes that inherited a mark and still run."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if (
                mark in process.environ().get(MARK, "").split(":")
                and process.status() != psutil.STATUS_ZOMBIE
                and SPARED not in " ".join(process.cmdline())
            ):
                found.append(process)
    return found


if __name__ == "__main__":
    watch(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
