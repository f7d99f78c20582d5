"""Losses added up: their mean, and their sum."""

from __future__ import annotations

from torch import Tensor

from agents.aggregators.aggregator import Parameters


def mean(losses: Tensor, parameters: Parameters) -> None:
    """The gradient of the mean loss, in one backward pass."""
    losses.mean().backward(inputs=list(parameters.all))


def total(losses: Tensor, parameters: Parameters) -> None:
    """The gradient of the summed loss: what each task would get alone, where tasks share no parameter."""
    losses.sum().backward(inputs=list(parameters.all))
