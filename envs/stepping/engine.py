"""What steps the rows of a multi-task vector environment: one interface, however the rows are computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

MAX_COPIES = 10**6  # of a task, and starts that it may have
# A NumPy array, or a torch tensor where the engine was made for torch.
Array = Any


class Step(NamedTuple):
    """What one step of every row yields, before any reset: n rows, task by task.

    ``success`` is 1 where the task is solved at this step, 0 where it is not, NaN where a task does not say. Rows that
    are ``lost`` failed: they are ``truncated``, so that a new episode starts there, and zero otherwise.
    """

    obs: Array  # (n, obs) float32
    reward: Array  # (n,) float32
    terminated: Array  # (n,) bool
    truncated: Array  # (n,) bool
    success: Array  # (n,) float32
    lost: Sequence[int] = ()

    @classmethod
    def blank(cls, rows: int, obs_size: int) -> Step:
        """Return a step, in NumPy, that is still to be filled in: all zero, success not said."""
        flags = np.zeros((2, rows), dtype=bool)
        success = np.full(rows, np.nan, dtype=np.float32)
        return cls(np.zeros((rows, obs_size), np.float32), np.zeros(rows, np.float32), flags[0], flags[1], success)


class Engine(Protocol):
    """Steps n rows at once: a batched simulator, or one environment per row."""

    obs_size: int
    action_size: int
    action_mask: np.ndarray  # (T, action) bool: which action dimensions each task has

    def reset(self, rows: np.ndarray, seeds: Sequence[int | None]) -> Array:
        """Begin an episode on each of ``rows`` ((k,) int); a seed restarts that row's generator. -> (k, obs).

        Where an engine survives failures, a row that cannot begin is zero, and ``lost`` at the next step.
        """

    def step(self, action: Array) -> Step:
        """Step every row with ``action`` ((n, action) in [-1, 1])."""

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Draw each of ``rows`` as an (H, W, 3) uint8 picture."""

    def close(self) -> None:
        """Release what the rows hold."""


@runtime_checkable
class AheadEngine(Engine, Protocol):
    """An engine whose step is begun in one call and fetched in another, so that other work is done in between."""

    def send(self, action: Array) -> None:
        """Begin a step of every row; ``receive`` has to be called before anything else."""

    def receive(self) -> Step:
        """Wait for the step that was begun."""


@runtime_checkable
class ResumableEngine(Engine, Protocol):
    """An engine whose rows can be put back exactly to where they were."""

    def state_dict(self) -> dict[str, Any]:
        """Return every row's state, in NumPy arrays and plain values."""

    def load_state_dict(self, state: dict[str, Any]) -> Array:
        """Continue from what ``state_dict`` returned -> the observations (n, obs)."""
