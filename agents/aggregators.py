"""Aggregators turn per-task losses into gradients.

An aggregator is called as ``aggregate(losses, parameters)`` with losses (T',) that still have their graph, and writes
the ``.grad`` of ``parameters`` and of nothing else. It is a function, or, if it learns weights, an ``nn.Module``, whose
parameters the agent registers, saves and optimises with an optimiser of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Parameters:
    """The parameters that an aggregator writes gradients for.

    Args:
        shared: Parameters that all tasks train.
        own: Task-specific parameters, stacked (E * T, ...) with the task running fastest.
        role: ``critic`` (encoder and critics) or ``actor``.
        generator: Source of random numbers, on the parameters' device.

    Example:
        >>> def balanced(losses: torch.Tensor, parameters: mtrl.Parameters) -> None:
        ...     (losses / losses.detach()).mean().backward(inputs=list(parameters.all))
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        >>> balanced(weight.square(), mtrl.Parameters((weight,), (), "critic", torch.Generator()))
        >>> weight.grad
        tensor([1.0000, 0.5000])
    """

    shared: tuple[nn.Parameter, ...]
    own: tuple[nn.Parameter, ...]
    role: Literal["critic", "actor"]
    generator: torch.Generator

    @property
    def all(self) -> tuple[nn.Parameter, ...]:
        """The shared and the task-specific parameters."""
        return self.shared + self.own


def split_parameters(
    role: Literal["critic", "actor"],
    parameters: Sequence[nn.Parameter],
    own: Sequence[nn.Parameter],
    generator: torch.Generator,
) -> Parameters:
    """Split ``parameters`` into those in ``own`` and the shared rest."""
    separate = {id(parameter) for parameter in own}
    shared = tuple(parameter for parameter in parameters if id(parameter) not in separate)
    return Parameters(shared, tuple(own), role, generator)


class Aggregate(Protocol):
    """Writes the gradients of per-task losses (T',) into the ``.grad`` of ``parameters`` and of nothing else."""

    def __call__(self, losses: Tensor, parameters: Parameters) -> None: ...


def mean(losses: Tensor, parameters: Parameters) -> None:
    """The gradient of the mean loss, in one backward pass."""
    losses.mean().backward(inputs=list(parameters.all))


def total(losses: Tensor, parameters: Parameters) -> None:
    """The gradient of the summed loss: what each task would get alone, where tasks share no parameter."""
    losses.sum().backward(inputs=list(parameters.all))


def task_gradients(losses: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    """Return each task's gradient with respect to ``parameters``, flattened in their order, for aggregators to combine.

    It takes one backward pass per task, writes no ``.grad`` and never synchronises with the device. It retains the
    graph, which ``backward`` does not, so an aggregator that uses both calls it first.

    Args:
        losses: (T',) one loss per task of the batch, with their graph, as an aggregator receives them.
        parameters: P numbers in all, usually ``parameters.shared``. The gradient is zero where a loss does not depend
            on a parameter.

    Returns:
        (T', P), without a graph.

    Example:
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        >>> mtrl.task_gradients(torch.stack([3 * weight[0], weight.square().sum()]), [weight]).tolist()
        [[3.0, 0.0], [2.0, 4.0]]
    """
    gradients = []
    for loss in losses:
        parts = torch.autograd.grad(
            loss, list(parameters), retain_graph=True, allow_unused=True, materialize_grads=True
        )
        gradients.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(gradients)


def set_gradient(flat: Tensor, parameters: Sequence[nn.Parameter]) -> None:
    """Set the ``.grad`` of ``parameters`` to one flat gradient, replacing what is there.

    Args:
        flat: (P,) the gradient, such as a combination of the rows of ``task_gradients``.
        parameters: P numbers in all, in the order of ``flat``.

    Raises:
        RuntimeError: ``flat`` has more or fewer numbers than ``parameters``.

    Example:
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        >>> mtrl.set_gradient(torch.tensor([0.5, -1.0]), [weight])
        >>> weight.grad.tolist()
        [0.5, -1.0]
    """
    parts = flat.split([parameter.numel() for parameter in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.grad = part.view_as(parameter)
