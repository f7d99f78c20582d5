"""Differentiable architecture search: which tasks share a block, layer by layer, is learned with the weights.

Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, with blocks that are alike and a choice
for every task, as in Guo, Lee and Ulbricht, "Learning to Branch for Multi-Task Learning", ICML 2020.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.networks import StackedLinear
from agents.trunks.layered import LayeredTrunk, TaskLayer, normal
from agents.trunks.trunk import TrunkShape

REFUSED = -1e4  # the score of a block that is not a task's, once that is decided: no step of training makes it the best


class SearchedLayer(TaskLayer):
    """``blocks`` linear layers; a task's output is their mean, weighted by the softmax of its ``scores``.

    Once it is ``decided``, each task has the block of its highest score alone, which goes on learning, and keeps it.
    """

    decided: Tensor

    def __init__(self, shape: TrunkShape, size_in: int, size_out: int, blocks: int, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble, self.tasks, self.count = shape.ensemble, shape.tasks, blocks
        self.blocks = StackedLinear(shape.ensemble * blocks, size_in, size_out, generator)
        # Members of an ensemble are to agree on what is shared, so a task has one row for all of them.
        self.scores = normal(shape.tasks, blocks, std=0.01, generator=generator)
        self.register_buffer("decided", torch.zeros(()))

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(E, T, N, in) -> (E, T, N, out)."""
        rows = x[:, None].expand(-1, self.count, -1, -1, -1).flatten(0, 1).flatten(1, 2)
        out = self.blocks(rows).unflatten(1, x.shape[1:3]).unflatten(0, (self.ensemble, self.count))
        return torch.einsum("tk,ektnd->etnd", rows_of(self.weights(), task), out)

    def weights(self) -> Tensor:
        """-> each task's weights of the blocks, (T, K); rows sum to 1."""
        soft = self.scores.softmax(dim=-1)
        hard = torch.zeros_like(soft).scatter(-1, soft.argmax(dim=-1, keepdim=True), 1.0)
        return torch.lerp(soft, hard, self.decided)

    @torch.no_grad()
    def decide(self) -> None:
        """Leave each task one block for good. A target network, which is not trained, follows the one that is."""
        self.decided.fill_(1.0)
        if self.scores.requires_grad:
            self.scores.copy_(REFUSED * (1.0 - self.weights()))

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the blocks'."""
        return [*self.blocks.parameters()]

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the scores."""
        return [self.scores]


class SearchedTrunk(LayeredTrunk):
    """A perceptron of ``SearchedLayer``s, decided after ``search_fraction`` of the run.

    The weights of tasks in the last layer's blocks stand for heads: with as many blocks as tasks each may have its own.
    """

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        settings: Any = shape.settings
        self.fraction: float = settings.search_fraction
        super().__init__(shape, lambda a, b: SearchedLayer(shape, a, b, settings.search_blocks, generator))

    def set_progress(self, fraction: float) -> None:
        """Decide once the search's share of the run is over; a run that is made longer stays decided."""
        if fraction >= self.fraction:
            for layer in self._searched():
                layer.decide()

    def inspect(self, x: Tensor) -> dict[str, Tensor]:
        """Each task's weights of each layer's blocks, ``blocks_1`` (T, K) and so on."""
        return {f"blocks_{k}": layer.weights() for k, layer in enumerate(self._searched(), start=1)}

    def _searched(self) -> list[SearchedLayer]:
        return [layer for layer in self.layers if isinstance(layer, SearchedLayer)]
