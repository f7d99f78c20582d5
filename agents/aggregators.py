"""What becomes of T losses: an aggregator turns them into gradients. (T,), parameters -> sets ``.grad``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor, nn


class Aggregate(Protocol):
    """Writes the gradients of per-task losses (T,) into the ``.grad`` of ``parameters`` and of nothing else."""

    def __call__(self, losses: Tensor, parameters: Sequence[nn.Parameter]) -> None: ...


def mean(losses: Tensor, parameters: Sequence[nn.Parameter]) -> None:
    """The gradient of the mean loss, in one backward pass."""
    losses.mean().backward(inputs=list(parameters))


def total(losses: Tensor, parameters: Sequence[nn.Parameter]) -> None:
    """The gradient of the summed loss: what each task would get alone, where tasks share no parameter."""
    losses.sum().backward(inputs=list(parameters))
