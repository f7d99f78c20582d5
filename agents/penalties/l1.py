"""The sum of absolute values."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.base import PieceShape
from agents.penalties.penalty import shares


class L1:
    """``l1_weight`` times the sum of the absolute values of a task's parameters, 0 for a module that has none."""

    def __init__(self, shape: PieceShape) -> None:
        self.weight: float = shape.settings.l1_weight
        self.tasks, self.device = shape.tasks, shape.device

    def __call__(self, module: nn.Module) -> Tensor:
        """Return the penalty of a module, 0-d."""
        sizes = [share * parameter.abs().sum() for parameter, share in shares(module, self.tasks).items()]
        return self.weight * sum(sizes, torch.zeros((), device=self.device))
