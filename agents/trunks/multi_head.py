"""One body for all tasks, and a head for each."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from agents.networks import StackedLinear, StackedMLP, hidden_activation
from agents.trunks.shared import SharedTrunk
from agents.trunks.trunk import Trunk, TrunkShape, members


class MultiHeadTrunk(Trunk):
    """One body for all tasks and a linear head for each (Yu et al. 2019, multi-head SAC), ``ensemble`` times."""

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        super().__init__()
        self.tasks, self.layer_norm = shape.tasks, shape.layer_norm
        *hidden, last = shape.hidden
        network = shape.network if hidden else StackedMLP  # with one hidden layer the body is a linear one
        self.body = SharedTrunk(replace(shape, hidden=tuple(hidden), size_out=last, network=network), generator)
        self.heads = StackedLinear(shape.ensemble * shape.tasks, last, shape.size_out, generator)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out)."""
        features = hidden_activation(self.body(x), self.layer_norm)
        out = self.heads(features.flatten(0, 1), members(task, features.shape[0], self.tasks))
        return out.view(*features.shape[:3], -1)

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the body's parameters."""
        return self.body.shared_parameters()

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the heads' parameters."""
        return [*self.heads.parameters()]

    def probed_layers(self) -> list[nn.Module]:
        """Return the body's probed layers and the heads."""
        return [*self.body.probed_layers(), self.heads]
