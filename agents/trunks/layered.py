"""A perceptron whose layers receive the task; each layer decides what tasks share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from agents.networks import hidden_activation, in_float32
from agents.trunks.trunk import Trunk, TrunkShape


class TaskLayer(nn.Module, ABC):
    """A linear layer for T tasks and E ensemble members: (E, T', N, in) -> (E, T', N, out)."""

    @abstractmethod
    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """Apply the layer; ``task``, (T',) int64, gives the tasks of the second axis, None all of them in order."""

    @abstractmethod
    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that all tasks train."""

    @abstractmethod
    def own_parameters(self) -> list[nn.Parameter]:
        """Return the task-specific parameters, each stacked (E * T, ...), task fastest."""


MakeLayer = Callable[[int, int], TaskLayer]


class LayeredTrunk(Trunk):
    """Task layers with the hidden activation between them, as in ``StackedMLP``."""

    def __init__(self, shape: TrunkShape, make_layer: MakeLayer) -> None:
        super().__init__()
        self.ensemble, self.layer_norm = shape.ensemble, shape.layer_norm
        sizes = pairwise([shape.size_in, *shape.hidden, shape.size_out])
        self.layers = nn.ModuleList(make_layer(size_in, size_out) for size_in, size_out in sizes)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out)."""
        x = x.expand(self.ensemble, *x.shape)
        *hidden, last = self.layers
        for layer in hidden:
            x = hidden_activation(layer(x, task), self.layer_norm)
        return in_float32(partial(last, task=task), x)

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the layers' shared parameters."""
        return gathered(layer.shared_parameters() for layer in self._task_layers())

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the layers' task-specific parameters."""
        return gathered(layer.own_parameters() for layer in self._task_layers())

    def probed_layers(self) -> list[nn.Module]:
        """Return all layers but the first."""
        return [*self.layers[1:]]

    def _task_layers(self) -> list[TaskLayer]:
        return [layer for layer in self.layers if isinstance(layer, TaskLayer)]


def gathered(lists: Iterable[list[nn.Parameter]]) -> list[nn.Parameter]:
    """Join lists of parameters, each parameter once."""
    return [*dict.fromkeys(parameter for parameters in lists for parameter in parameters)]


def uniform(*shape: int, bound: float, generator: torch.Generator) -> nn.Parameter:
    """Return a parameter drawn uniformly from [-bound, bound]."""
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound, generator=generator))


def normal(*shape: int, std: float, generator: torch.Generator) -> nn.Parameter:
    """Return a parameter drawn from a normal distribution around 0."""
    return nn.Parameter(torch.empty(shape).normal_(std=std, generator=generator))


def on_rows(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a stacked layer to (E, T, N, in), all rows of a member together."""
    return layer(x.flatten(1, 2)).unflatten(1, x.shape[1:3])
