"""The deviation of a layer's units from orthogonality."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.base import PieceShape
from agents.networks import StackedLinear
from agents.penalties.penalty import shares


class Orthogonality:
    """``orthogonality_weight`` times the squared products of different units' incoming weights, |W'W (1 - I)|^2.

    Summed over a task's linear layers; the form that leaves the lengths of units free (Brock, Lim, Ritchie and
    Weston, "Neural Photo Editing with Introspective Adversarial Networks", ICLR 2017).
    """

    def __init__(self, shape: PieceShape) -> None:
        self.weight: float = shape.settings.orthogonality_weight
        self.tasks, self.device = shape.tasks, shape.device

    def __call__(self, module: nn.Module) -> Tensor:
        """Return the penalty of a module, 0-d."""
        share = shares(module, self.tasks)
        layers = [one for one in module.modules() if isinstance(one, StackedLinear)]
        products = [share[layer.weight] * _products(layer) for layer in layers]
        return self.weight * sum(products, torch.zeros((), device=self.device))


def _products(layer: StackedLinear) -> Tensor:
    products = layer.weight.mT @ layer.weight
    return (products - torch.diag_embed(products.diagonal(dim1=-2, dim2=-1))).square().sum()
