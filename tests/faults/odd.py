"""Environments that break the contract, or the pipe they are called through; a worker process can import them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from envs.suite import Task
from tests.envs.failing import Walk

Result = tuple[Any, ...]


def _with(place: int, value: Any) -> Callable[[Result], Any]:
    """Return what replaces one of the things that a call returns."""
    return lambda result: (*result[:place], value, *result[place + 1 :])


def _close_everything(result: Result) -> Result:
    os.closerange(3, 256)
    return result


# What is done to the (observation, info) of a reset, and to the five results of a step.
RESETS: dict[str, Callable[[Result], Any]] = {
    "NaN observation": _with(0, np.full(3, np.nan)),
    "no info": lambda result: result[0],
}
STEPS: dict[str, Callable[[Result], Any]] = {
    "NaN observation": _with(0, np.full(3, np.nan)),
    "wrong shape": _with(0, np.zeros(2)),
    "shape that would broadcast": _with(0, np.zeros(1)),
    "NaN reward": _with(1, math.nan),
    "reward that is text": _with(1, "1"),
    "flag that is None": _with(2, None),
    "four results": lambda result: result[:4],
    "closed pipe": _close_everything,
}


class Odd(Walk):
    """Does something odd in ``call``: at each reset but the first, or at the second step of each episode."""

    def __init__(self, call: str, what: str) -> None:
        super().__init__()
        self.call, self.what, self.resets = call, what, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.resets += 1
        result = super().reset(seed=seed)
        return RESETS[self.what](result) if self.call == "reset" and self.resets > 1 else result

    def step(self, action: np.ndarray) -> Any:
        result = super().step(action)
        return STEPS[self.what](result) if self.call == "step" and self.count == 2 else result


def odd(call: str, what: str) -> Task:
    """A task called bad, whose environment does something odd."""
    return Task("bad", partial(Odd, call, what), "Be odd.")
