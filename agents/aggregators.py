"""What becomes of per-task losses: an aggregator turns them into gradients.

It is called as ``aggregate(losses, parameters)`` with losses (T',) that still carry their graph, and writes the
``.grad`` of ``parameters`` and of nothing else. A plain function will do; one that learns weights of its own is an
``nn.Module``, whose parameters the agent registers, saves and steps with an optimiser of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Parameters:
    """What per-task losses are to train.

    Each task has its own copy of ``own``, stacked (E * T, ...) with the task running fastest; ``shared`` are all
    others. ``role`` says whose they are, and ``generator``, on their device, is where random numbers come from.
    """

    shared: tuple[nn.Parameter, ...]
    own: tuple[nn.Parameter, ...]
    role: Literal["critic", "actor"]
    generator: torch.Generator

    @property
    def all(self) -> tuple[nn.Parameter, ...]:
        """Shared and own ones."""
        return self.shared + self.own


def split_parameters(
    role: Literal["critic", "actor"],
    parameters: Sequence[nn.Parameter],
    own: Sequence[nn.Parameter],
    generator: torch.Generator,
) -> Parameters:
    """Sort ``parameters`` into shared ones and those in ``own``."""
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
    """Return each task's gradient of ``parameters``, flattened in their order, for an aggregator to combine.

    It costs one backward pass per task, writes no ``.grad`` and reads nothing back from the device. It keeps the graph,
    which ``backward`` does not: call it first where an aggregator does both.

    Args:
        losses: (T',) one loss per task of the batch, with their graph: what an aggregator is called with.
        parameters: P numbers in all, most often ``parameters.shared``. One that a loss does not depend on has the
            gradient zero.

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
    """Write one gradient into the ``.grad`` of ``parameters``, over whatever is there.

    Args:
        flat: (P,) a combination of the rows of ``task_gradients`` of the same parameters.
        parameters: P numbers in all, in the order that ``flat`` has them in.

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
