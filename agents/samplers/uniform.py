"""All tasks equally."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from agents.base import PieceShape


class Uniform:
    """Draws the same number of rows of every task in every batch."""

    def __init__(self, shape: PieceShape | None = None) -> None:
        """Take no settings."""

    def draw(self, rows_per_task: int) -> tuple[Tensor | None, int]:
        """Return all tasks, in order."""
        return None, rows_per_task

    def observe_losses(self, losses: Tensor) -> None:
        """Ignore them."""

    def observe_scores(self, scores: Tensor) -> None:
        """Ignore them."""

    def state_dict(self) -> dict[str, Any]:
        """Return an empty state."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore nothing."""
