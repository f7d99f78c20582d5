"""Measures the norm of each task's gradient, next to any aggregator, for samplers that use it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from agents.aggregators.aggregator import Aggregate, Parameters
from agents.aggregators.by_rows import TaskGradients
from agents.aggregators.weighing import put
from agents.base import PieceShape

MEASURE_EVERY = 10  # updates; a measurement is one more backward pass through the critics


class WithGradientNorms(nn.Module):
    """Passes losses on to ``aggregate``; before every tenth update of the critics it measures tasks' gradient norms.

    They are the norms of each task's loss gradient with respect to the shared parameters. A task that is not among the
    losses keeps its latest norm, 0 at first.
    """

    norms: Tensor

    def __init__(self, aggregate: Aggregate, shape: PieceShape) -> None:
        super().__init__()
        self.aggregate = aggregate
        self.register_buffer("norms", torch.zeros(shape.tasks), persistent=False)
        self._task_gradients, self._updates = TaskGradients(), 0

    def forward(self, losses: Tensor, parameters: Parameters) -> None:
        """Write the gradients that ``aggregate`` writes."""
        if parameters.role == "critic":
            if self._updates % MEASURE_EVERY == 0:
                gradients, _ = self._task_gradients(losses, replace(parameters, own=()))
                self.norms = put(self.norms, gradients.norm(dim=1), parameters)
            self._updates += 1
        self.aggregate(losses, parameters)

    def metrics(self) -> dict[str, Tensor]:
        """Return the norms (T,) and the metrics of ``aggregate``."""
        own: Any = getattr(self.aggregate, "metrics", dict)
        return {**own(), "critic_gradient_norm": self.norms}

    def get_extra_state(self) -> Tensor:
        """Return the number of the critics' updates so far."""
        return torch.tensor(self._updates)

    def set_extra_state(self, state: Tensor) -> None:
        """Continue from ``get_extra_state``."""
        self._updates = int(state)
