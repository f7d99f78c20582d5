"""Depth by task: tasks leave one network at the layers that suit them.

A simple form of routing tasks to depths, after He, Li, Zang, Fu, Fu, Xing and Cheng, "Not All Tasks Are Equally
Difficult: Multi-Task Deep Reinforcement Learning with Dynamic Depth Routing", AAAI 2024: weights over the layers, not a
graph of modules.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.networks import StackedLinear, hidden_activation, in_float32
from agents.registry.spec import RegistryError
from agents.trunks.layered import on_rows
from agents.trunks.trunk import Trunk, TrunkShape, members


class DepthTrunk(Trunk):
    """A perceptron that all tasks share, with an output at every hidden layer; each task weighs them by a softmax.

    Raises ``RegistryError`` with fewer than two hidden layers.
    """

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        if len(shape.hidden) < 2:
            raise RegistryError(
                "trunk 'depth' weighs the outputs of hidden layers, and there is only one; "
                "give more, as in --hidden 128 128"
            )
        super().__init__()
        self.ensemble, self.tasks, self.layer_norm = shape.ensemble, shape.tasks, shape.layer_norm
        sizes = pairwise([shape.size_in, *shape.hidden])
        self.layers = nn.ModuleList(StackedLinear(shape.ensemble, a, b, generator) for a, b in sizes)
        self.exits = nn.ModuleList(StackedLinear(shape.ensemble, a, shape.size_out, generator) for a in shape.hidden)
        self.scores = nn.Parameter(torch.zeros(shape.ensemble * shape.tasks, len(shape.hidden)))

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out)."""
        x, outputs = x.expand(self.ensemble, *x.shape), []
        for layer, out in zip(self.layers, self.exits, strict=True):
            x = hidden_activation(on_rows(layer, x), self.layer_norm)
            outputs.append(on_rows(out, x))
        weights = rows_of(self.depth(), members(task, self.ensemble, self.tasks)).unflatten(0, x.shape[:2])
        return in_float32(partial(torch.einsum, "etk,ketno->etno"), weights, torch.stack(outputs))

    def depth(self) -> Tensor:
        """Return each task's weights of the layers, (E * T, layers); rows sum to 1."""
        return self.scores.softmax(dim=-1)

    def inspect(self, x: Tensor) -> dict[str, Tensor]:
        """Return each task's weights of the layers, ``depth``, averaged over the ensemble: (T, layers)."""
        return {"depth": self.depth().unflatten(0, (self.ensemble, -1)).mean(dim=0)}

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of layers and outputs."""
        return [p for part in (self.layers, self.exits) for p in part.parameters()]

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the scores."""
        return [self.scores]

    def probed_layers(self) -> list[nn.Module]:
        """Return all layers but the first, and the outputs."""
        return [*self.layers[1:], *self.exits]
