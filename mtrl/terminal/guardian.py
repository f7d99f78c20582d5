"""A small process that watches a run, and ends the processes started by the run if the run itself is killed.

Children of a killed process keep running, and that process cannot end them any more. Processes started under
``guarded`` inherit a mark in their environment; this file, run as a script, looks for that mark.
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
POLL_INTERVAL = 0.5  # seconds
EXIT_TIMEOUT = 5.0  # seconds for the guardian to exit once it is told to
ROUNDS = 5  # of killing, since a process may start another just before it is killed
SPARED = "multiprocessing.resource_tracker"  # exits by itself, after cleaning up


@contextmanager
def guarded(patience: float = 0.0) -> Iterator[None]:
    """End all processes started inside the block if this process is killed; if it ends by itself, nothing is done.

    With ``patience``, session leaders are first asked to end (SIGTERM) and given that many seconds. Only processes that
    were forked from this one and never ran another program are not found.
    """
    before, own = os.environ.get(MARK), uuid.uuid4().hex
    watcher = _started(own, patience)
    if watcher is None:
        yield  # children then only have their own means of ending
        return
    os.environ[MARK] = own if before is None else f"{before}:{own}"
    try:
        yield
    finally:
        os.environ.pop(MARK, None)
        if before is not None:
            os.environ[MARK] = before
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            watcher.communicate(b".", timeout=EXIT_TIMEOUT)


def _started(mark: str, patience: float) -> subprocess.Popen[bytes] | None:
    """Start this file, or return None if the system does not permit it or cannot poll a pipe with a timeout."""
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
            start_new_session=True,  # so that neither Ctrl-C nor a closing terminal reaches it
        )
    except OSError:
        return None


def watch(mark: str, parent: int, patience: float) -> None:
    """Wait until the parent reports its end, or is gone; in the latter case end all marked processes."""
    while os.getppid() == parent:
        if select.select([sys.stdin], [], [], POLL_INTERVAL)[0]:
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
            time.sleep(POLL_INTERVAL)
    for _ in range(ROUNDS):
        for process in _marked(mark):
            with contextlib.suppress(psutil.Error):
                process.kill()


def _marked(mark: str) -> list[psutil.Process]:
    """Return the running processes that inherited a mark."""
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
