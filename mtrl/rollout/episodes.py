"""Episodes as they end: return, length, and success both ways, per task and copy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np


class Episode(NamedTuple):
    """One finished episode. Success is 1 or 0, NaN where the task does not say."""

    task: int
    copy: int
    total: float  # sum of rewards
    length: int
    success_any: float  # at any step
    success_last: float  # at the last one


def finished_episodes(info: Mapping[str, Any], copies: int) -> list[Episode]:
    """Return the episodes that ended in a step of ``MultiTaskVectorEnv`` with so many copies of each task."""
    ended = np.flatnonzero(info["_episode"])
    if not len(ended):
        return []
    statistics = info["episode"]
    arrays = (statistics["r"], statistics["l"], statistics["success_any"], info["success"])
    columns = (array[ended].tolist() for array in arrays)
    return [Episode(*divmod(int(row), copies), *numbers) for row, *numbers in zip(ended, *columns, strict=True)]


def success_rate(said: Sequence[float]) -> float:
    """Return the share of one task's episodes that were a success, NaN where none says anything.

    Where some say it, silence counts as failure: environments exist that mention success only when there is one.
    """
    known = np.asarray(said)
    return math.nan if np.isnan(known).all() else float(np.nan_to_num(known).mean())
