"""The mean and the sum of the losses."""

from __future__ import annotations

from torch import Tensor

from agents.aggregators.aggregator import Parameters


def mean(losses: Tensor, parameters: Parameters) -> None:
    """Write the gradient of the mean loss, in one backward pass."""
    losses.mean().backward(inputs=list(parameters.all))


def total(losses: Tensor, parameters: Parameters) -> None:
    """Write the gradient of the summed loss: each task's own gradient, where tasks share no parameter."""
    losses.sum().backward(inputs=list(parameters.all))
