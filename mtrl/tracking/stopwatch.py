"""Training time: wall-clock time, and processor time, which other programs do not slow down."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

import psutil


class Spent(NamedTuple):
    """Wall-clock and processor seconds; ``cpu`` is None if the processor time is not known."""

    wall: float
    cpu: float | None


class Stopwatch:
    """Counts from its creation, on top of ``before``.

    Processor time is that of this process with all its threads, and of all processes that it started, such as those
    that step environments or train one task each.
    """

    def __init__(self, before: Spent | None = None) -> None:
        self._before, self._wall, self._cpu = before or Spent(0.0, 0.0), time.monotonic(), cpu_seconds()

    @property
    def wall(self) -> float:
        """Wall-clock seconds."""
        return self._before.wall + time.monotonic() - self._wall

    def read(self) -> Spent:
        """Return the seconds so far."""
        before, begin, now = self._before.cpu, self._cpu, cpu_seconds()
        if before is None or begin is None or now is None:
            return Spent(self.wall, None)
        return Spent(self.wall, before + now - begin)


def cpu_seconds() -> float | None:
    """Return the processor seconds of this process and of all that it started, running or ended.

    None if the system does not keep the time of ended processes, as on Windows.
    """
    if os.name != "posix":
        return None
    return sum(os.times()[:4]) + sum(map(_cpu_seconds_of, psutil.Process().children(recursive=True)))


def _cpu_seconds_of(process: psutil.Process) -> float:
    """Return the time of a running process, and of its own processes that have ended."""
    try:
        return sum(process.cpu_times()[:4])
    except psutil.Error:
        return 0.0  # it has just ended
