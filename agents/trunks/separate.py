"""A separate network for every task."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.trunks.trunk import Trunk, TrunkShape, members


class SeparateTrunk(Trunk):
    """A separate network per task, ``ensemble`` times: T single-task learners in one batched product."""

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble, self.tasks = shape.ensemble, shape.tasks
        self.mlp = shape.stack(shape.ensemble * shape.tasks, generator)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out)."""
        stacked = x.expand(self.ensemble, *x.shape).flatten(0, 1)
        out = self.mlp(stacked, members(task, self.ensemble, self.tasks))
        return out.view(self.ensemble, *x.shape[:2], -1)

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return no parameters."""
        return []

    def own_parameters(self) -> list[nn.Parameter]:
        """Return all parameters."""
        return [*self.parameters()]

    def probed_layers(self) -> list[nn.Module]:
        """Return the network's probed layers."""
        return self.mlp.probed_layers()
