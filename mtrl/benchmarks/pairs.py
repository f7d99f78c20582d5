"""Sides timed in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def paired(sides: Sequence[Callable[[], Any]], repeats: int) -> list[float]:
    """Run the sides in turn, ``repeats`` times after one warm-up -> each side's median seconds."""
    for side in sides:
        side()
    times: list[list[float]] = [[] for _ in sides]
    for _ in range(repeats):
        for side, own in zip(sides, times, strict=True):
            begin = time.perf_counter()
            side()
            own.append(time.perf_counter() - begin)
    return [statistics.median(own) for own in times]


def play(env: Any, actions: Any, steps: int) -> None:
    """Take so many steps with the same actions."""
    for _ in range(steps):
        env.step(actions)
