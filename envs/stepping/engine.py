"""The interface of engines, which step the rows of a multi-task vector environment, however these are computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

MAX_COPIES = 10**6  # of a task; also the limit of its fixed starts
# A NumPy array, or a torch tensor if the engine was made for torch.
Array = Any


class Step(NamedTuple):
    """The result of one step of every row, before any reset: n rows, task by task.

    ``success`` is 1 if the task is solved at this step, 0 if it is not, NaN if the task does not report it. Rows that
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
        """Return a step, in NumPy, to be filled in: all zero, success NaN."""
        flags = np.zeros((2, rows), dtype=bool)
        success = np.full(rows, np.nan, dtype=np.float32)
        return cls(np.zeros((rows, obs_size), np.float32), np.zeros(rows, np.float32), flags[0], flags[1], success)


class Engine(Protocol):
    """Steps n rows at once: a batched simulator, or one environment per row."""

    obs_size: int
    action_size: int
    action_mask: np.ndarray  # (T, action) bool: which action dimensions each task has

    def reset(self, rows: np.ndarray, seeds: Sequence[int | None]) -> Array:
        """Begin an episode on each of ``rows``, (k,) int; return (k, obs). A seed restarts that row's generator.

        If an engine survives failures, a row that cannot begin is zero, and ``lost`` at the next step.
        """

    def step(self, action: Array) -> Step:
        """Step every row with ``action`` ((n, action) in [-1, 1])."""

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Draw each of ``rows`` as an (H, W, 3) uint8 picture."""

    def close(self) -> None:
        """Release what the rows hold."""


@runtime_checkable
class AheadEngine(Engine, Protocol):
    """An engine whose step is started in one call and fetched in another, so that other work can be done in between."""

    def send(self, action: Array) -> None:
        """Start a step of every row; ``receive`` must be called next."""

    def receive(self) -> Step:
        """Wait for the step that ``send`` started."""


@runtime_checkable
class ResumableEngine(Engine, Protocol):
    """An engine whose rows can be restored exactly."""

    def state_dict(self) -> dict[str, Any]:
        """Return every row's state, in NumPy arrays and plain values."""

    def load_state_dict(self, state: dict[str, Any]) -> Array:
        """Continue from what ``state_dict`` returned; return the observations (n, obs)."""
