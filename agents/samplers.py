"""Which tasks an update is of, and how many transitions of each."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from agents.base import PieceShape


class Sampler(Protocol):
    """Chooses the tasks of each batch, and hears how the tasks are doing."""

    def draw(self, rows_per_task: int) -> tuple[Tensor | None, int]:
        """Return the tasks of the next batch, (T',) int64 on the learner's device, and the rows of each entry.

        A task may be left out, or named several times to have more rows; None means all tasks, once each, in order.
        ``rows_per_task`` is what the run was told.
        """

    def observe_losses(self, losses: Tensor) -> None:
        """Hear each task's latest critic loss, (T,), after every update, still on the device."""

    def observe_scores(self, scores: Tensor) -> None:
        """Hear each task's score, (T,) on the CPU, after every evaluation: success at any step, else the return."""

    def state_dict(self) -> dict[str, Any]:
        """Return what changes while training."""

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Continue from what ``state_dict`` returned."""


class Uniform:
    """The same number of rows of every task in every batch."""

    def __init__(self, shape: PieceShape | None = None) -> None:
        """Nothing need be known."""

    def draw(self, rows_per_task: int) -> tuple[Tensor | None, int]:
        """Return all tasks, in order."""
        return None, rows_per_task

    def observe_losses(self, losses: Tensor) -> None:
        """Nothing follows from them."""

    def observe_scores(self, scores: Tensor) -> None:
        """Nothing follows from them."""

    def state_dict(self) -> dict[str, Any]:
        """Return nothing, since nothing changes."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over nothing."""
