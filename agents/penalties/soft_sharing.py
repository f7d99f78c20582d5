"""Soft parameter sharing: every task has its own weights, which are pulled towards those of the others.

The distances of Yang and Hospedales, "Trace Norm Regularised Deep Multi-Task Learning", 2016, and of Duong, Cohn, Bird
and Cook, "Low Resource Dependency Parsing: Cross-lingual Parameter Sharing in a Neural Network Parser", ACL 2015.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.base import PieceShape
from agents.penalties.penalty import HasOwn


class SoftSharing:
    """``sharing_weight`` times the mean over tasks of the squared distance of a task's weights to the tasks' mean."""

    def __init__(self, shape: PieceShape) -> None:
        self.weight: float = shape.settings.sharing_weight
        self.tasks, self.device = shape.tasks, shape.device

    def __call__(self, module: HasOwn) -> Tensor:
        """Return the penalty of a module, 0-d."""
        own = [self._distance(by_task(parameter, self.tasks)) for parameter in module.own_parameters()]
        return self.weight * sum(own, torch.zeros((), device=self.device))

    def _distance(self, weights: Tensor) -> Tensor:
        return (weights - weights.mean(dim=1, keepdim=True)).square().sum() / self.tasks


class TraceNorm:
    """``trace_weight`` / T times the trace norm of every layer's (T, weights) matrix, small where it has a low rank.

    The singular values are computed on the host where the device is a GPU, which waits for them.
    """

    def __init__(self, shape: PieceShape) -> None:
        self.weight: float = shape.settings.trace_weight
        self.tasks, self.device = shape.tasks, shape.device

    def __call__(self, module: HasOwn) -> Tensor:
        """Return the penalty of a module, 0-d."""
        own = [torch.linalg.svdvals(by_task(one, self.tasks)).sum() / self.tasks for one in module.own_parameters()]
        return self.weight * sum(own, torch.zeros((), device=self.device))


def by_task(parameter: Tensor, tasks: int) -> Tensor:
    """(E * T, ...) -> (E, T, numbers)."""
    return parameter.unflatten(0, (-1, tasks)).flatten(2)
