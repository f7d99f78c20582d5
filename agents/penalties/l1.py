"""The sum of absolute values."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.base import PieceShape


class L1:
    """``l1_weight`` times the sum of the absolute values of all parameters, 0 for a module that has none."""

    def __init__(self, shape: PieceShape) -> None:
        self.weight: float = shape.settings.l1_weight
        self.device = shape.device

    def __call__(self, module: nn.Module) -> Tensor:
        """-> 0-d."""
        sizes = [parameter.abs().sum() for parameter in module.parameters()]
        return self.weight * sum(sizes, torch.zeros((), device=self.device))
