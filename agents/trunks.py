"""Trunks: what an actor or a critic is made of, and how tasks share it. (T, N, in) -> (E, T, N, out)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from agents.networks import Network, StackedLinear, StackedMLP, hidden_activation


@dataclass(frozen=True)
class TrunkShape:
    """What every trunk is told: ``ensemble`` members for ``tasks`` tasks, from ``size_in`` to ``size_out`` numbers.

    ``context`` is (T, d), what is known of each task; ``settings`` are the agent's, those of the trunk among them.
    """

    tasks: int
    ensemble: int
    size_in: int
    hidden: tuple[int, ...]
    size_out: int
    layer_norm: bool
    network: Callable[..., Network] = StackedMLP
    _: KW_ONLY
    context: Tensor
    settings: Any = None

    def stack(self, groups: int, generator: torch.Generator) -> Network:
        """Make ``groups`` networks of this shape."""
        return self.network(groups, self.size_in, self.hidden, self.size_out, generator, self.layer_norm)


class Trunk(nn.Module):
    """What an actor or a critic says of itself; diagnoses leave out one that says nothing.

    A subclass that is made by name is called as ``Mine(shape, generator)`` with a ``TrunkShape``, and draws its weights
    from ``generator``, on the CPU.
    """

    def inspect(self, x: Tensor) -> dict[str, Tensor]:
        """Return what can be seen of its workings on ``x`` (T, N, in): name -> (T, K). Here nothing."""
        return {}

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that all tasks train. Here none."""
        return []

    def own_parameters(self) -> list[nn.Parameter]:
        """Return those of which each task has its own, (E * T, ...) with the task running fastest. Here none."""
        return []

    def probed_layers(self) -> list[nn.Module]:
        """Return the layers that read hidden units, the last one those of the last hidden layer. Default: none."""
        return []


MakeTrunk = Callable[[TrunkShape, torch.Generator], Trunk]


class SharedTrunk(Trunk):
    """One network for all tasks, ``ensemble`` times."""

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble = shape.ensemble
        self.mlp = shape.stack(shape.ensemble, generator)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out); ``task`` does not matter, since nothing here is one task's own."""
        tasks, rows, size = x.shape
        out = self.mlp(x.reshape(1, tasks * rows, size).expand(self.ensemble, -1, -1))
        return out.view(self.ensemble, tasks, rows, -1)

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return all of them."""
        return [*self.parameters()]

    def probed_layers(self) -> list[nn.Module]:
        """Return the network's."""
        return self.mlp.probed_layers()


class SeparateTrunk(Trunk):
    """A network of its own for every task, ``ensemble`` times: T single-task learners in one product."""

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble, self.tasks = shape.ensemble, shape.tasks
        self.mlp = shape.stack(shape.ensemble * shape.tasks, generator)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out)."""
        stacked = x.expand(self.ensemble, *x.shape).flatten(0, 1)
        out = self.mlp(stacked, _members(task, self.ensemble, self.tasks))
        return out.view(self.ensemble, *x.shape[:2], -1)

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return none."""
        return []

    def own_parameters(self) -> list[nn.Parameter]:
        """Return all of them."""
        return [*self.parameters()]

    def probed_layers(self) -> list[nn.Module]:
        """Return the network's."""
        return self.mlp.probed_layers()


class MultiHeadTrunk(Trunk):
    """One body for all tasks and a linear head for each (Yu et al. 2019, multi-head SAC), ``ensemble`` times."""

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        super().__init__()
        self.tasks, self.layer_norm = shape.tasks, shape.layer_norm
        *hidden, last = shape.hidden
        self.body = SharedTrunk(replace(shape, hidden=tuple(hidden), size_out=last), generator)
        self.heads = StackedLinear(shape.ensemble * shape.tasks, last, shape.size_out, generator)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out)."""
        features = hidden_activation(self.body(x), self.layer_norm)
        out = self.heads(features.flatten(0, 1), _members(task, features.shape[0], self.tasks))
        return out.view(*features.shape[:3], -1)

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the body's."""
        return self.body.shared_parameters()

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the heads'."""
        return [*self.heads.parameters()]

    def probed_layers(self) -> list[nn.Module]:
        """Return the body's, and the heads."""
        return [*self.body.probed_layers(), self.heads]


def _members(task: Tensor | None, ensemble: int, tasks: int) -> Tensor | None:
    """Which of the ensemble x tasks stacked networks serve ``task``, or None for all of them."""
    if task is None:
        return None
    starts = torch.arange(ensemble, device=task.device) * tasks
    return (starts[:, None] + task[None, :]).flatten()
