"""The type of penalties, ``module -> scalar``, added to every task's loss before aggregation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor, nn

Penalty = Callable[[nn.Module], Tensor]


class HasOwn(Protocol):
    """An encoder or trunk with task-specific parameters."""

    def own_parameters(self) -> list[nn.Parameter]:
        """Return them, each stacked (E * T, ...), task fastest."""


def shares(module: nn.Module, tasks: int) -> dict[nn.Parameter, float]:
    """Return each parameter's share in the penalty: 1, but 1/T where it holds the weights of T tasks.

    A penalty is added to all T losses, so that each task then feels its own weights' penalty once, as it would alone.
    """
    own = {id(parameter) for parameter in getattr(module, "own_parameters", list)()}
    return {parameter: 1.0 / tasks if id(parameter) in own else 1.0 for parameter in module.parameters()}
