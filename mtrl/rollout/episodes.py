"""Finished episodes: return, length and both kinds of success, per task and copy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np


class Episode(NamedTuple):
    """One finished episode. Success is 1 or 0, or NaN if the task does not report it."""

    task: int
    copy: int
    total: float  # sum of rewards
    length: int
    success_any: float  # at any step
    success_last: float  # at the last one


def finished_episodes(info: Mapping[str, Any], copies: int) -> list[Episode]:
    """Return the episodes that ended in a step of a ``MultiTaskVectorEnv`` with ``copies`` copies of each task."""
    ended = np.flatnonzero(info["_episode"])
    if not len(ended):
        return []
    statistics = info["episode"]
    arrays = (statistics["r"], statistics["l"], statistics["success_any"], info["success"])
    columns = (array[ended].tolist() for array in arrays)
    return [Episode(*divmod(int(row), copies), *numbers) for row, *numbers in zip(ended, *columns, strict=True)]


def success_rate(successes: Sequence[float]) -> float:
    """Return the share of one task's episodes that were successful, NaN if none reports success.

    If some do, those without a report count as failures: some environments report success only when there is one.
    """
    values = np.asarray(successes)
    return math.nan if np.isnan(values).all() else float(np.nan_to_num(values).mean())
