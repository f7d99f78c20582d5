"""A lock file ensures that only one process at a time trains into a run folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from mtrl.errors import RunError, UsageError, os_reason
from mtrl.runs.atomic import write_text
from mtrl.runs.reading import read_json

LOCK = "lock.json"


@contextmanager
def lock(run: Path) -> Iterator[None]:
    """Keep other processes from training into a run folder. Raises ``UsageError`` if one already does.

    The lock of a process that no longer runs, whether it ended, was killed or the machine restarted, is ignored.
    """
    take(run)
    try:
        yield
    finally:
        if holder(run) is None:
            (run / LOCK).unlink(missing_ok=True)


def take(run: Path) -> None:
    """Record that this process trains into a run folder.

    Raises ``UsageError`` if another process does, and ``RunError`` if the lock cannot be written.
    """
    me = psutil.Process()
    content = {"pid": me.pid, "started": me.create_time()}
    try:
        with _exclusive(run):
            other = holder(run)
            if other is not None:
                raise UsageError(f"{str(run)!r} is being trained by process {other}; stop that one first")
            write_text(run / LOCK, json.dumps(content) + "\n")
    except OSError as error:
        raise RunError(f"{run / LOCK} cannot be written ({os_reason(error)})") from None


def holder(run: Path) -> int | None:
    """Return the id of the process that trains into a run folder, or None if there is none or it is this one."""
    try:
        content = read_json(run / LOCK)
        pid, started = int(content["pid"]), float(content["started"])
        alive = psutil.Process(pid).create_time()
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return pid if abs(alive - started) < 1.0 and pid != os.getpid() else None


@contextmanager
def _exclusive(run: Path) -> Iterator[None]:
    """Admit one process at a time to read and take the lock, if the system can lock a folder."""
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
        os.close(handle)  # this also releases the system's lock
