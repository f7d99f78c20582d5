"""A run folder has one trainer at a time: a file says which process it is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from mtrl.cli import UsageError

LOCK = "lock.json"


@contextmanager
def lock(run: Path) -> Iterator[None]:
    """Keep other processes from training into a run folder. Raises ``UsageError`` where one does already.

    The lock of a process that is gone, killed or on a machine that has started anew, counts for nothing.
    """
    path = run / LOCK
    holder = _holder(path)
    if holder is not None:
        raise UsageError(f"{str(run)!r} is being trained by process {holder}; stop that one first")
    me = psutil.Process()
    path.write_text(json.dumps({"pid": me.pid, "started": me.create_time()}) + "\n", encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _holder(path: Path) -> int | None:
    """Return the process that a lock is of, None where it is gone, or is this one."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        pid, started = int(said["pid"]), float(said["started"])
        alive = psutil.Process(pid).create_time()
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return pid if abs(alive - started) < 1.0 and pid != os.getpid() else None
