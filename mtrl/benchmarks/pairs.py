"""Time several functions alternately."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def paired(sides: Sequence[Callable[[], Any]], repeats: int) -> list[float]:
    """Run the sides alternately, ``repeats`` times after one warm-up; return each side's median seconds."""
    for side in sides:
        side()
    times: list[list[float]] = [[] for _ in sides]
    for _ in range(repeats):
        for side, own in zip(sides, times, strict=True):
            start = time.perf_counter()
            side()
            own.append(time.perf_counter() - start)
    return [statistics.median(own) for own in times]


def play(env: Any, actions: Any, steps: int) -> None:
    """Take ``steps`` steps with the same actions."""
    for _ in range(steps):
        env.step(actions)
