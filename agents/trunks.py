"""Trunks: what an actor or a critic is made of, and how tasks share it. (T, N, in) -> (E, T, N, out)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from agents.networks import StackedLinear, StackedMLP, hidden_activation


class MakeTrunk(Protocol):
    """Builds a trunk of ``ensemble`` members for ``tasks`` tasks."""

    def __call__(
        self,
        *,
        tasks: int,
        ensemble: int,
        size_in: int,
        hidden: Sequence[int],
        size_out: int,
        layer_norm: bool,
        generator: torch.Generator,
    ) -> nn.Module: ...


class SharedTrunk(nn.Module):
    """One network for all tasks, ``ensemble`` times."""

    def __init__(
        self,
        *,
        tasks: int,
        ensemble: int,
        size_in: int,
        hidden: Sequence[int],
        size_out: int,
        layer_norm: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.ensemble = ensemble
        self.mlp = StackedMLP(ensemble, size_in, hidden, size_out, generator, layer_norm)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out); ``task`` does not matter, since nothing here is one task's own."""
        tasks, rows, size = x.shape
        out = self.mlp(x.reshape(1, tasks * rows, size).expand(self.ensemble, -1, -1))
        return out.view(self.ensemble, tasks, rows, -1)


class SeparateTrunk(nn.Module):
    """A network of its own for every task, ``ensemble`` times: T single-task learners in one product."""

    def __init__(
        self,
        *,
        tasks: int,
        ensemble: int,
        size_in: int,
        hidden: Sequence[int],
        size_out: int,
        layer_norm: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.ensemble, self.tasks = ensemble, tasks
        self.mlp = StackedMLP(ensemble * tasks, size_in, hidden, size_out, generator, layer_norm)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out)."""
        stacked = x.expand(self.ensemble, *x.shape).flatten(0, 1)
        out = self.mlp(stacked, _members(task, self.ensemble, self.tasks))
        return out.view(self.ensemble, *x.shape[:2], -1)


class MultiHeadTrunk(nn.Module):
    """One body for all tasks and a linear head for each (Yu et al. 2019, multi-head SAC), ``ensemble`` times."""

    def __init__(
        self,
        *,
        tasks: int,
        ensemble: int,
        size_in: int,
        hidden: Sequence[int],
        size_out: int,
        layer_norm: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.tasks, self.layer_norm = tasks, layer_norm
        self.body = SharedTrunk(
            tasks=tasks,
            ensemble=ensemble,
            size_in=size_in,
            hidden=hidden[:-1],
            size_out=hidden[-1],
            layer_norm=layer_norm,
            generator=generator,
        )
        self.heads = StackedLinear(ensemble * tasks, hidden[-1], size_out, generator)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out)."""
        features = hidden_activation(self.body(x), self.layer_norm)
        out = self.heads(features.flatten(0, 1), _members(task, features.shape[0], self.tasks))
        return out.view(*features.shape[:3], -1)


def _members(task: Tensor | None, ensemble: int, tasks: int) -> Tensor | None:
    """Which of the ensemble x tasks stacked networks serve ``task``, or None for all of them."""
    if task is None:
        return None
    starts = torch.arange(ensemble, device=task.device) * tasks
    return (starts[:, None] + task[None, :]).flatten()
