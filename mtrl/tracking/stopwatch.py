"""What a training takes: time by the wall's clock, and by the processor's, which others do not slow down."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

import psutil


class Spent(NamedTuple):
    """Seconds by both clocks; ``cpu`` is None where the processor's is not known."""

    wall: float
    cpu: float | None


class Stopwatch:
    """Counts from its making, on top of what was ``before``.

    A processor's time is that of this process, of all its threads, and of all processes that it started, such as
    those that step environments or train a task each.
    """

    def __init__(self, before: Spent | None = None) -> None:
        self._before, self._wall, self._cpu = before or Spent(0.0, 0.0), time.monotonic(), cpu_seconds()

    @property
    def wall(self) -> float:
        """Seconds by the wall's clock."""
        return self._before.wall + time.monotonic() - self._wall

    def read(self) -> Spent:
        """Return the seconds so far."""
        before, begin, now = self._before.cpu, self._cpu, cpu_seconds()
        if before is None or begin is None or now is None:
            return Spent(self.wall, None)
        return Spent(self.wall, before + now - begin)


def cpu_seconds() -> float | None:
    """Return the processor time of this process and of all that it started, whether running or ended, in seconds.

    None where the system forgets that of processes that have ended, as Windows does.
    """
    if os.name != "posix":
        return None
    return sum(os.times()[:4]) + sum(map(_taken, psutil.Process().children(recursive=True)))


def _taken(process: psutil.Process) -> float:
    """Return the time of a process that still runs, and of those of its own that have ended."""
    try:
        return sum(process.cpu_times()[:4])
    except psutil.Error:
        return 0.0  # it ended this moment
