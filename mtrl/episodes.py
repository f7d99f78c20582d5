"""Episodes as they end: return, length, and success both ways, per task and copy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mtrl.tensor_env import Transition


class Episode(NamedTuple):
    """One finished episode. Success is 1 or 0, NaN where the task does not say."""

    task: int
    copy: int
    total: float  # sum of rewards
    length: int
    success_any: float  # at any step
    success_last: float  # at the last one


def success_rate(said: Sequence[float]) -> float:
    """Return the share of one task's episodes that were a success, NaN where none says anything.

    Where some say it, silence counts as failure: environments exist that mention success only when there is one.
    """
    known = np.asarray(said)
    return math.nan if np.isnan(known).all() else float(np.nan_to_num(known).mean())


class EpisodeTracker:
    """Adds up running episodes of T tasks x N copies and hands them out as they end.

    ``lost`` is how many were dropped, since their environment failed.
    """

    def __init__(self, tasks: int, copies: int) -> None:
        self._total = np.zeros((tasks, copies))
        self._length = np.zeros((tasks, copies), dtype=np.int64)
        self._success = np.full((tasks, copies), -np.inf)
        self.lost = 0

    def step(self, transition: Transition) -> list[Episode]:
        """Take in a step -> the episodes that it ended."""
        success = transition.success.cpu().numpy()
        self._total += transition.reward.cpu().numpy()
        self._length += 1
        self._success = np.fmax(self._success, success)  # a task may say it at some steps only
        ended = transition.ended.cpu().numpy()
        if not ended.any():
            return []
        lost = np.zeros_like(ended) if transition.lost is None else transition.lost.cpu().numpy()
        self.lost += int(lost.sum())
        finished = [
            Episode(
                int(t),
                int(k),
                float(self._total[t, k]),
                int(self._length[t, k]),
                float(self._success[t, k]) if self._success[t, k] >= 0 else math.nan,
                float(success[t, k]),
            )
            for t, k in np.argwhere(ended & ~lost)
        ]
        self._total[ended], self._length[ended], self._success[ended] = 0.0, 0, -np.inf
        return finished
