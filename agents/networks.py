"""G networks of equal shape side by side, each layer one batched matrix product."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from agents.base import rows_of
from agents.registry.settings import only_width


class StackedLinear(nn.Module):
    """G linear layers in one product, (G, R, in) -> (G, R, out), initialised as ``torch.nn.Linear`` is."""

    def __init__(self, groups: int, size_in: int, size_out: int, generator: torch.Generator) -> None:
        super().__init__()
        self._single = size_out == 1  # a Python bool: while torch traces an export, a shape is not a Python number
        bound = 1.0 / math.sqrt(size_in)
        self.weight = nn.Parameter(torch.empty(groups, size_in, size_out).uniform_(-bound, bound, generator=generator))
        self.bias = nn.Parameter(torch.empty(groups, 1, size_out).uniform_(-bound, bound, generator=generator))

    def forward(self, x: Tensor, groups: Tensor | None = None) -> Tensor:
        """Apply all layers, or those that ``groups`` (G',) int64 names, each to its own rows."""
        weight, bias = rows_of(self.weight, groups), rows_of(self.bias, groups)
        if self._single:  # as a batched product, forward and backward, it takes three times as long on a CPU
            return (x * weight.mT).sum(dim=-1, keepdim=True) + bias
        return torch.baddbmm(bias, x, weight)


class Network(nn.Module):
    """G networks of equal shape, (G, R, in) -> (G, R, out)."""

    def probed_layers(self) -> list[nn.Module]:
        """Return the layers that read hidden units, the last one those of the last hidden layer. Default: none."""
        return []


class StackedMLP(Network):
    """G multi-layer perceptrons in one product, (G, R, in) -> (G, R, out).

    A hidden layer is linear, layer norm without learned scale (the next layer has one), ReLU.
    """

    def __init__(
        self,
        groups: int,
        size_in: int,
        hidden: Sequence[int],
        size_out: int,
        generator: torch.Generator,
        layer_norm: bool = True,
    ) -> None:
        super().__init__()
        sizes = [size_in, *hidden, size_out]
        self.layer_norm = layer_norm
        self.layers = nn.ModuleList(StackedLinear(groups, a, b, generator) for a, b in pairwise(sizes))

    def forward(self, x: Tensor, groups: Tensor | None = None) -> Tensor:
        """Apply all networks, or those that ``groups`` (G',) int64 names, each to its own rows."""
        *hidden, last = self.layers  # a slice would create a new module at every call
        for layer in hidden:
            x = hidden_activation(layer(x, groups), self.layer_norm)
        return last(x, groups)

    def probed_layers(self) -> list[nn.Module]:
        """Return all layers but the first."""
        return [*self.layers[1:]]


class StackedResidual(Network):
    """G residual networks in one product, (G, R, in) -> (G, R, out): BroNet (Nauman et al. 2024).

    The first of ``hidden`` is the layer that everything else is added to, each further one a block of two layers of
    that width. Raises ``ValueError`` if the widths differ.
    """

    def __init__(
        self,
        groups: int,
        size_in: int,
        hidden: Sequence[int],
        size_out: int,
        generator: torch.Generator,
        layer_norm: bool = True,
    ) -> None:
        super().__init__()
        width = only_width(hidden)
        self.layer_norm = layer_norm
        self.first = StackedLinear(groups, size_in, width, generator)
        self.inner = nn.ModuleList(StackedLinear(groups, width, width, generator) for _ in hidden[1:])
        self.outer = nn.ModuleList(StackedLinear(groups, width, width, generator) for _ in hidden[1:])
        self.last = StackedLinear(groups, width, size_out, generator)

    def forward(self, x: Tensor, groups: Tensor | None = None) -> Tensor:
        """Apply all networks, or those that ``groups`` (G',) int64 names, each to its own rows."""
        x = hidden_activation(self.first(x, groups), self.layer_norm)
        for inner, outer in zip(self.inner, self.outer, strict=True):
            y = outer(hidden_activation(inner(x, groups), self.layer_norm), groups)
            x = x + (normalized(y) if self.layer_norm else y)
        return self.last(x, groups)

    def probed_layers(self) -> list[nn.Module]:
        """Return the layers that read the first layer, the inside of each block, and the sum of the blocks."""
        return [*self.inner[:1], *self.outer, self.last]


def in_float32(apply: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Apply an output layer in full precision under autocast too: values rounded to bfloat16 take few numbers."""
    kind = inputs[0].device.type
    if not torch.is_autocast_enabled(kind):
        return apply(*inputs)
    with torch.autocast(kind, enabled=False):
        return apply(*(one.float() for one in inputs))


def hidden_activation(x: Tensor, layer_norm: bool) -> Tensor:
    """Apply layer normalisation, if enabled, and ReLU; ``x`` may be overwritten."""
    return F.relu(normalized(x) if layer_norm else x, inplace=True)


def normalized(x: Tensor) -> Tensor:
    """Apply layer normalisation without learned scale.

    A scale of ones is passed anyway: without one, torch's loop on the CPU is not vectorised and takes 1.6 times
    as long, for the same numbers.
    """
    size = x.shape[-1:]
    return F.layer_norm(x, size, x.new_ones(size), x.new_zeros(size))
