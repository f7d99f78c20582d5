"""Weights factorised over tasks: every task scales the same few directions of each layer.

W_t = U diag(s_t) V, a decomposition of the tasks' weight tensor into rank-one terms (CP), as in Yang and Hospedales,
"Deep Multi-Task Representation Learning: A Tensor Factorisation Approach", ICLR 2017.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.trunks.layered import LayeredTrunk, TaskLayer, normal, uniform
from agents.trunks.trunk import TrunkShape, members


class LowRankLayer(TaskLayer):
    """``rank`` directions that all tasks share and each scales by its own ``scale``; the bias is shared."""

    def __init__(self, shape: TrunkShape, size_in: int, size_out: int, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble, self.tasks = shape.ensemble, shape.tasks
        bound = 1.0 / math.sqrt(size_in)
        self.down = uniform(shape.ensemble, size_in, rank, bound=math.sqrt(3.0) * bound, generator=generator)
        self.up = uniform(shape.ensemble, rank, size_out, bound=1.0 / math.sqrt(rank), generator=generator)
        self.bias = uniform(shape.ensemble, 1, size_out, bound=bound, generator=generator)
        # About 1, so that tasks start similar, but not identical, or they would stay so.
        self.scale = normal(shape.ensemble * shape.tasks, 1, rank, std=0.1, generator=generator)
        with torch.no_grad():
            self.scale.add_(1.0)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(E, T, N, in) -> (E, T, N, out)."""
        scale = rows_of(self.scale, members(task, self.ensemble, self.tasks)).unflatten(0, x.shape[:2])
        scaled = (x.flatten(1, 2) @ self.down).unflatten(1, x.shape[1:3]) * scale
        return torch.baddbmm(self.bias, scaled.flatten(1, 2), self.up).unflatten(1, x.shape[1:3])

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the directions and the bias."""
        return [self.down, self.up, self.bias]

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the scales."""
        return [self.scale]


class LowRankTrunk(LayeredTrunk):
    """A perceptron of ``LowRankLayer``s of rank ``weight_rank``."""

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        rank = shape.settings.weight_rank
        super().__init__(shape, lambda size_in, size_out: LowRankLayer(shape, size_in, size_out, rank, generator))
