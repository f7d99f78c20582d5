"""Low-rank adapters: a network that all tasks share, whose last layers each task shifts by a matrix of low rank.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022; used as heads of a multi-task actor-critic
by Cho et al., "ARS: Adaptive Reward Scaling for Multi-Task Reinforcement Learning", ICML 2025.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.networks import StackedLinear
from agents.trunks.layered import LayeredTrunk, TaskLayer, on_rows, uniform
from agents.trunks.trunk import TrunkShape, members


class LoRALayer(TaskLayer):
    """W x + b + B_t A_t x, where A_t and B_t have rank ``rank``; B_t starts at zero. Rank 0 is a shared layer."""

    def __init__(self, shape: TrunkShape, size_in: int, size_out: int, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble, self.tasks, self.rank = shape.ensemble, shape.tasks, rank
        self.base = StackedLinear(shape.ensemble, size_in, size_out, generator)
        if rank:
            stacked = shape.ensemble * shape.tasks
            self.down = uniform(stacked, size_in, rank, bound=1.0 / math.sqrt(size_in), generator=generator)
            self.up = nn.Parameter(torch.zeros(stacked, rank, size_out))

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(E, T, N, in) -> (E, T, N, out)."""
        out = on_rows(self.base, x)
        if not self.rank:
            return out
        chosen = members(task, self.ensemble, self.tasks)
        shift = x.flatten(0, 1) @ rows_of(self.down, chosen) @ rows_of(self.up, chosen)
        return out + shift.unflatten(0, x.shape[:2])

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the shared layer's parameters."""
        return [*self.base.parameters()]

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the adapters."""
        return [self.down, self.up] if self.rank else []


class LoRATrunk(LayeredTrunk):
    """One network for all tasks with adapters of rank ``lora_rank`` in its last ``lora_layers`` layers."""

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        settings = shape.settings
        first_adapted = len(shape.hidden) + 1 - settings.lora_layers
        levels = iter(range(len(shape.hidden) + 1))

        def layer(size_in: int, size_out: int) -> TaskLayer:
            rank = settings.lora_rank if next(levels) >= first_adapted else 0
            return LoRALayer(shape, size_in, size_out, rank, generator)

        super().__init__(shape, layer)
