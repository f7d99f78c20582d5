"""One network for all tasks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.trunks.trunk import Trunk, TrunkShape


class SharedTrunk(Trunk):
    """One network for all tasks, ``ensemble`` times."""

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble = shape.ensemble
        self.mlp = shape.stack(shape.ensemble, generator)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out); ``task`` is ignored, since all tasks share the network."""
        tasks, rows, size = x.shape
        out = self.mlp(x.reshape(1, tasks * rows, size).expand(self.ensemble, -1, -1))
        return out.view(self.ensemble, tasks, rows, -1)

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return all parameters."""
        return [*self.parameters()]

    def probed_layers(self) -> list[nn.Module]:
        """Return the network's probed layers."""
        return self.mlp.probed_layers()
