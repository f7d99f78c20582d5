"""Scores of deterministic episodes of every task."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from mtrl.rollout.episodes import Episode, success_rate

Policy = Callable[[Tensor], Tensor]  # (T, N, obs) -> (T, N, A)
RARE = 0.1  # below this success rate, returns are shown too
MEASURES = ("success_any", "success_last", "return")


@dataclass(frozen=True)
class TaskScore:
    """The score of a policy on one task: means over its evaluation episodes.

    Args:
        success_any: Fraction of episodes with success at any step; NaN if the task reports no success.
        success_last: Fraction of episodes with success at their last step; NaN if the task reports no success.
        mean_return: Mean undiscounted return.
        episodes: Number of episodes.

    Example:
        >>> mtrl.TaskScore(success_any=0.9, success_last=0.8, mean_return=41.5, episodes=20).value
        0.9
    """

    success_any: float
    success_last: float
    mean_return: float
    episodes: int

    @classmethod
    def of(cls, episodes: Sequence[Episode]) -> TaskScore:
        """Average finished episodes of one task."""
        return cls(
            success_rate([e.success_any for e in episodes]),
            success_rate([e.success_last for e in episodes]),
            float(np.mean([e.total for e in episodes])),
            len(episodes),
        )

    @property
    def value(self) -> float:
        """Success at any step, or the return if the task reports no success."""
        return self.mean_return if math.isnan(self.success_any) else self.success_any

    def to_json(self) -> dict[str, float | int | None]:
        """Return the entry of ``result.json``; unknown success is null."""
        return {
            "success_any": _known(self.success_any),
            "success_last": _known(self.success_last),
            "return": self.mean_return,
            "episodes": self.episodes,
        }


def mean_score(scores: dict[str, TaskScore]) -> dict[str, float | None]:
    """Return the means over tasks; those of success are over the tasks that report it."""

    def mean(values: list[float]) -> float | None:
        known = [value for value in values if not math.isnan(value)]
        return float(np.mean(known)) if known else None

    rows = list(scores.values())
    columns = ([r.success_any for r in rows], [r.success_last for r in rows], [r.mean_return for r in rows])
    return {name: mean(column) for name, column in zip(MEASURES, columns, strict=True)}


def scores_to_json(scores: dict[str, TaskScore]) -> dict[str, Any]:
    """Return ``{"mean": ..., "tasks": ...}`` as in ``result.json``."""
    return {"mean": mean_score(scores), "tasks": {name: score.to_json() for name, score in scores.items()}}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
