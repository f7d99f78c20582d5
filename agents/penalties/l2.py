"""The sum of squares."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.base import PieceShape
from agents.penalties.penalty import shares


class L2:
    """``penalty_weight`` / 2 times the sum of squares of a task's parameters, 0 for a module that has none."""

    def __init__(self, shape: PieceShape) -> None:
        self.weight: float = shape.settings.penalty_weight
        self.tasks, self.device = shape.tasks, shape.device

    def __call__(self, module: nn.Module) -> Tensor:
        """Return the penalty of a module, 0-d."""
        squares = [share * parameter.square().sum() for parameter, share in shares(module, self.tasks).items()]
        return 0.5 * self.weight * sum(squares, torch.zeros((), device=self.device))
