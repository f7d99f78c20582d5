"""A run folder has one trainer at a time: a file says which process it is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from mtrl.errors import RunError, UsageError
from mtrl.runs.atomic import write_text
from mtrl.runs.reading import read_json

LOCK = "lock.json"


@contextmanager
def lock(run: Path) -> Iterator[None]:
    """Keep other processes from training into a run folder. Raises ``UsageError`` where one does already.

    The lock of a process that is gone, killed or on a machine that has started anew, counts for nothing.
    """
    take(run)
    try:
        yield
    finally:
        if holder(run) is None:
            (run / LOCK).unlink(missing_ok=True)


def take(run: Path) -> None:
    """Write down that this process trains into a run folder.

    Raises ``UsageError`` where another one does, and ``RunError`` where it cannot be written.
    """
    me = psutil.Process()
    lock = {"pid": me.pid, "started": me.create_time()}
    try:
        with _alone(run):
            other = holder(run)
            if other is not None:
                raise UsageError(f"{str(run)!r} is being trained by process {other}; stop that one first")
            write_text(run / LOCK, json.dumps(lock) + "\n")
    except OSError as error:
        raise RunError(f"{run / LOCK} cannot be written ({error.strerror or error})") from None


def holder(run: Path) -> int | None:
    """Return the process that trains into a run folder, None where there is none, or it is this one."""
    try:
        said = read_json(run / LOCK)
        pid, started = int(said["pid"]), float(said["started"])
        alive = psutil.Process(pid).create_time()
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return pid if abs(alive - started) < 1.0 and pid != os.getpid() else None


@contextmanager
def _alone(run: Path) -> Iterator[None]:
    """Let one process at a time see who holds the lock and take it, where the system can lock a folder."""
    if os.name != "posix":
        yield
        return
    import fcntl

    handle = os.open(run, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)  # and with it the system's lock
