"""The base class of samplers that draw tasks by shares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from agents.base import PieceShape, restore_generator, seeded_generator

MEMORY = 0.99  # of the moving average of what is observed in each update


class Proportional(ABC):
    """Base class: draws T entries of tasks, each task about T times its share, a task repeated to get more rows.

    A subclass defines the ``shares``, (T,) with sum 1, and keeps what it learns from losses and scores in ``learned``.
    A batch has as many rows as with all tasks once each.
    """

    def __init__(self, shape: PieceShape) -> None:
        self.tasks, self.device, self.settings = shape.tasks, shape.device, shape.settings
        self.generator = seeded_generator(shape.seed, shape.device)
        self.learned: dict[str, Tensor] = {}

    @abstractmethod
    def shares(self) -> Tensor:
        """Return each task's share of the rows, (T,) on the learner's device."""

    def draw(self, rows_per_task: int) -> tuple[Tensor | None, int]:
        """Return T tasks, in order, those with larger shares more often."""
        return systematic(self.shares(), self.generator), rows_per_task

    def observe_losses(self, losses: Tensor) -> None:  # noqa: B027  (optional in a subclass)
        """Ignored by default."""

    def observe_scores(self, scores: Tensor) -> None:  # noqa: B027  (optional in a subclass)
        """Ignored by default."""

    def metrics(self) -> dict[str, Tensor]:
        """Return each task's share of the rows, (T,)."""
        return {"batch_share": self.shares()}

    def state_dict(self) -> dict[str, Any]:
        """Return what was learned, and the generator's state."""
        learned = {name: value.clone() for name, value in self.learned.items()}
        return {"learned": learned, "generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what ``state_dict`` returned."""
        self.learned = {name: value.to(self.device) for name, value in state["learned"].items()}
        restore_generator(self.generator, state["generator"])


def systematic(shares: Tensor, generator: torch.Generator) -> Tensor:
    """Draw T of T tasks, in order, (T,) int64: each T times its share on average, rounded up or down.

    ``shares`` are (T,) with sum 1. Systematic resampling (Carpenter, Clifford and Fearnhead 1999) takes one random
    number for all of them.
    """
    tasks = len(shares)
    start = torch.rand((), generator=generator, device=shares.device, dtype=torch.float64)
    places = (torch.arange(tasks, device=shares.device) + start) / tasks
    ends = shares.double().cumsum(dim=0)
    return torch.searchsorted(ends / ends[-1], places, right=True).clamp(max=tasks - 1)


def averaged(before: Tensor, latest: Tensor) -> Tensor:
    """Return a moving average (T,) updated by the ``latest`` values; 0 means that there is none yet."""
    return torch.where(before > 0, MEMORY * before + (1.0 - MEMORY) * latest, latest)


def by_power(values: Tensor, exponent: float, floor: float) -> Tensor:
    """Values (T,), those below 0 as 0 -> shares, (T,), proportional to their power, ``floor`` of them spread evenly."""
    values = values.clamp_min(0.0)
    return with_floor((values / values.max().clamp_min(1e-12)) ** exponent, floor)


def with_floor(weights: Tensor, floor: float) -> Tensor:
    """Weights (T,) >= 0 -> shares, (T,) with sum 1, of which ``floor`` is spread evenly; all of it if all are zero."""
    total = weights.sum()
    even = torch.full_like(weights, 1.0 / len(weights))
    return torch.where(total > 0, (1.0 - floor) * weights / total.clamp_min(1e-12) + floor * even, even)
