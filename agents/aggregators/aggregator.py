"""The interface of aggregators, which turn per-task losses into gradients.

An aggregator is called as ``aggregate(losses, parameters)`` with losses (T',) that still carry their graph, and writes
the ``.grad`` of ``parameters`` and of nothing else. A plain function will do. One that learns is an ``nn.Module``: the
agent registers and saves its parameters and buffers, and steps the parameters with a separate optimiser. A method
``metrics()`` that returns tensors, 0-d or (T,), by name adds them to those that are logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

ROLES = ("critic", "actor")


@dataclass(frozen=True)
class Parameters:
    """The parameters that an aggregator writes gradients for.

    Args:
        shared: Parameters that all tasks train.
        own: Task-specific parameters, stacked (E * T, ...) with the task running fastest.
        role: ``critic`` (encoder and critics) or ``actor``.
        generator: Source of random numbers, on the parameters' device.
        task: (T',) int64, the tasks of the losses, in any order and possibly repeated; None for all T in order.
        common: 0-d with its graph, a term that every loss contains, such as an encoder's auxiliary loss; None if there
            is none.

    Example:
        >>> def balanced(losses: torch.Tensor, parameters: mtrl.Parameters) -> None:
        ...     weights = losses.detach().abs().clamp_min(1e-3)
        ...     (losses / weights).mean().backward(inputs=list(parameters.all))
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        >>> balanced(weight.square(), mtrl.Parameters((weight,), (), "critic", torch.Generator()))
        >>> weight.grad
        tensor([1.0000, 0.5000])
    """

    shared: tuple[nn.Parameter, ...]
    own: tuple[nn.Parameter, ...]
    role: Literal["critic", "actor"]
    generator: torch.Generator
    task: Tensor | None = None
    common: Tensor | None = None

    @property
    def all(self) -> tuple[nn.Parameter, ...]:
        """The shared and the task-specific parameters."""
        return self.shared + self.own

    def left_out(self, losses: Tensor) -> Tensor:
        """Return which losses (T',) a trunk masked, (T',) bool: they are 0, or the common term alone."""
        return losses.detach() == (0.0 if self.common is None else self.common.detach())


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
