"""The sum of squares."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.base import PieceShape


class L2:
    """``penalty_weight`` / 2 times the sum of squares of all parameters, 0 for a module that has none."""

    def __init__(self, shape: PieceShape) -> None:
        self.weight: float = shape.settings.penalty_weight
        self.device = shape.device

    def __call__(self, module: nn.Module) -> Tensor:
        """-> 0-d."""
        squares = [parameter.square().sum() for parameter in module.parameters()]
        return 0.5 * self.weight * sum(squares, torch.zeros((), device=self.device))
