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
    """Return each task's gradient of ``parameters``, (T',) -> (T', P), in T' backward passes; the graph is kept."""
    gradients = []
    for loss in losses:
        parts = torch.autograd.grad(
            loss, list(parameters), retain_graph=True, allow_unused=True, materialize_grads=True
        )
        gradients.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(gradients)


def set_gradient(flat: Tensor, parameters: Sequence[nn.Parameter]) -> None:
    """Write one gradient (P,) into the ``.grad`` of ``parameters``, in their order."""
    parts = flat.split([parameter.numel() for parameter in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.grad = part.view_as(parameter)
