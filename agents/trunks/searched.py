"""Differentiable architecture search: which tasks share a block, layer by layer, is learned with the weights.

Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, with identical blocks and a choice for
every task, as in Guo, Lee and Ulbricht, "Learning to Branch for Multi-Task Learning", ICML 2020.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.networks import StackedLinear
from agents.trunks.layered import LayeredTrunk, TaskLayer, normal
from agents.trunks.trunk import Trunk, TrunkShape


class SearchedLayer(TaskLayer):
    """``blocks`` linear layers; a task's output is their mean, weighted by the softmax of its ``scores``.

    Once it is ``decided``, each task uses only the block with its highest score, which continues to learn.
    """

    decided: Tensor
    choice: Tensor

    def __init__(self, shape: TrunkShape, size_in: int, size_out: int, blocks: int, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble, self.tasks, self.count = shape.ensemble, shape.tasks, blocks
        self.blocks = StackedLinear(shape.ensemble * blocks, size_in, size_out, generator)
        # Ensemble members must agree on what is shared, so a task has one row for all of them.
        self.scores = normal(shape.tasks, blocks, std=0.01, generator=generator)
        self.register_buffer("decided", torch.zeros(()))
        self.register_buffer("choice", torch.zeros(shape.tasks, blocks))  # 1 at a task's block, once it is decided
        self.register_load_state_dict_pre_hook(_choosing)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(E, T, N, in) -> (E, T, N, out)."""
        rows = x[:, None].expand(-1, self.count, -1, -1, -1).flatten(0, 1).flatten(1, 2)
        out = self.blocks(rows).unflatten(1, x.shape[1:3]).unflatten(0, (self.ensemble, self.count))
        return torch.einsum("tk,ektnd->etnd", rows_of(self.weights(), task), out)

    def weights(self) -> Tensor:
        """Return each task's weights of the blocks, (T, K); rows sum to 1."""
        return torch.lerp(self.scores.softmax(dim=-1), self.choice, self.decided)

    @torch.no_grad()
    def decide(self) -> None:
        """Choose each task's best block, unless that has been done."""
        self.choice.lerp_(_best(self.scores), 1.0 - self.decided)
        self.decided.fill_(1.0)

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the blocks' parameters."""
        return [*self.blocks.parameters()]

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the scores."""
        return [self.scores]


class SearchedTrunk(LayeredTrunk):
    """A perceptron of ``SearchedLayer``s, decided after ``search_fraction`` of the run.

    The last layer's blocks serve as heads: with as many blocks as tasks, each task may have its own.
    """

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        settings: Any = shape.settings
        self.fraction: float = settings.search_fraction
        super().__init__(shape, lambda a, b: SearchedLayer(shape, a, b, settings.search_blocks, generator))

    def set_progress(self, fraction: float) -> None:
        """Decide once the search's share of the run is over; a run that is extended later stays decided."""
        if fraction >= self.fraction:
            for layer in self._searched():
                layer.decide()

    def follow(self, trained: Trunk) -> None:
        """Copy the decisions of the trained network."""
        if isinstance(trained, SearchedTrunk):
            for mine, theirs in zip(self._searched(), trained._searched(), strict=True):
                mine.choice.copy_(theirs.choice)
                mine.decided.copy_(theirs.decided)

    def begin(self) -> None:
        """Search again."""
        for layer in self._searched():
            layer.decided.zero_()

    def inspect(self, x: Tensor) -> dict[str, Tensor]:
        """Return each task's weights of each layer's blocks, ``blocks_1`` (T, K) and so on."""
        return {f"blocks_{k}": layer.weights() for k, layer in enumerate(self._searched(), start=1)}

    def _searched(self) -> list[SearchedLayer]:
        return [layer for layer in self.layers if isinstance(layer, SearchedLayer)]


def _best(scores: Tensor) -> Tensor:
    """Return 1 at each row's highest score, else 0."""
    return torch.zeros_like(scores).scatter(-1, scores.argmax(dim=-1, keepdim=True), 1.0)


def _choosing(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Allow loading weights from before choices were saved, when the highest scores stood for them."""
    if f"{prefix}scores" in state:
        state.setdefault(f"{prefix}choice", _best(state[f"{prefix}scores"]))
