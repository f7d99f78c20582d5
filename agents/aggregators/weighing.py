"""Base classes of aggregators that weigh tasks; each task's weight is logged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from agents.aggregators.aggregator import ROLES, Parameters
from agents.aggregators.by_rows import TaskGradients
from agents.aggregators.gradients import set_gradient
from agents.base import PieceShape, rows_of
from agents.registry.spec import RegistryError


class Weighing(nn.Module):
    """Base class of aggregators that give each task a weight, constructed as ``Mine(shape)``.

    A subclass learns parameters, which the agent steps, or buffers, which it replaces itself; the agent saves both. The
    latest weights are logged.
    """

    latest: Tensor

    def __init__(self, shape: PieceShape) -> None:
        super().__init__()
        self.tasks, self.settings = shape.tasks, shape.settings
        self.register_buffer("latest", torch.zeros(len(ROLES), shape.tasks), persistent=False)

    def metrics(self) -> dict[str, Tensor]:
        """Return each task's latest weight, (T,), in the critics' update and in the actor's."""
        return {f"{role}_task_weight": weights for role, weights in zip(ROLES, self.latest, strict=True)}

    def record(self, weights: Tensor, parameters: Parameters) -> None:
        """Record an update's weights, (T',), for the log."""
        row = ROLES.index(parameters.role)
        self.latest = with_row(self.latest, row, put(self.latest[row], weights.detach(), parameters))


class LossWeighing(Weighing, ABC):
    """Base class of aggregators that write the gradient of the mean of weighted losses, in one backward pass."""

    @abstractmethod
    def weights(self, losses: Tensor, parameters: Parameters) -> Tensor:
        """Return the weights (T',) of ``losses``, (T',) and without a graph; 1 is a task's weight in the plain mean."""

    def forward(self, losses: Tensor, parameters: Parameters) -> None:
        """Write the gradients."""
        weights = self.weights(losses.detach(), parameters)
        self.record(weights, parameters)
        (weights * losses).mean().backward(inputs=list(parameters.all))


class GradientWeighing(Weighing, ABC):
    """Base class of aggregators that combine the tasks' gradients by weights that depend on their inner products.

    Shared parameters get the weighted sum of the tasks' gradients, task-specific ones their task's gradient. No number
    is read back from the device.
    """

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        self._task_gradients = TaskGradients()

    @abstractmethod
    def weights(self, gram: Tensor, parameters: Parameters) -> Tensor:
        """Return the weights (T',) of the gradients whose inner products are ``gram``, (T', T')."""

    def forward(self, losses: Tensor, parameters: Parameters) -> None:
        """Write the gradients."""
        gradients, own = self._task_gradients(losses, parameters)
        if parameters.shared:
            weights = self.weights(gradients @ gradients.T, parameters)
            self.record(weights, parameters)
            set_gradient(weights.to(gradients.dtype) @ gradients, parameters.shared)
        for parameter, gradient in zip(parameters.own, own, strict=True):
            parameter.grad = gradient


def one_per_task(values: Sequence[float], name: str, shape: PieceShape) -> Tensor:
    """Return a setting's numbers as weights (T,) on the device, all equal if none are given.

    Raises ``RegistryError`` if there are more or fewer of them than tasks.
    """
    if values and len(values) != shape.tasks:
        flag = f"--{name.replace('_', '-')}"
        raise RegistryError(
            f"{flag} has {len(values)} numbers for {shape.tasks} tasks; give one for each task, in the suite's order"
        )
    weights: Any = values or [1.0] * shape.tasks
    return torch.tensor(weights, dtype=torch.float32, device=shape.device)


def of_tasks(table: Tensor, parameters: Parameters) -> Tensor:
    """Return the rows of a table (T, ...) that belong to the losses."""
    return rows_of(table, parameters.task)


def put(table: Tensor, values: Tensor, parameters: Parameters) -> Tensor:
    """Return a table (..., T) with the losses' ``values``, (..., T'), at their tasks; the mean for a repeated task."""
    values = values.to(table.dtype)
    if parameters.task is None:
        return values
    count = torch.zeros_like(table).index_add(-1, parameters.task, torch.ones_like(values))
    total = torch.zeros_like(table).index_add(-1, parameters.task, values)
    return torch.where(count > 0, total / count.clamp_min(1.0), table)


def with_row(table: Tensor, row: int, values: Tensor) -> Tensor:
    """Return a copy of a table (R, ...) with ``values`` as one of its rows."""
    return torch.stack([values if number == row else kept for number, kept in enumerate(table)])
