"""What the loop and an agent hand each other: arrays with a leading task axis, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Transitions drawn for an update: T' tasks, N rows of each.

    ``task``, (T',) int64, names the task of each entry of the leading axis, in any order and with repetition; None
    means all tasks, each once, in order.
    """

    obs: Tensor  # (T, N, obs)
    action: Tensor  # (T, N, action) in [-1, 1], zero where masked
    reward: Tensor  # (T, N)
    terminated: Tensor  # (T, N) 1 where the episode ended for good; a truncated one bootstraps
    next_obs: Tensor  # (T, N, obs) the true successor, also at the end of an episode
    task: Tensor | None = None

    def apply(self, function: Callable[[Tensor], Tensor]) -> Batch:
        """Return the batch with ``function`` applied to each array; ``task`` stays as it is."""
        return self._replace(
            obs=function(self.obs),
            action=function(self.action),
            reward=function(self.reward),
            terminated=function(self.terminated),
            next_obs=function(self.next_obs),
        )


@dataclass(frozen=True)
class PieceShape:
    """What a piece that is no network is told: the number of tasks, the learner's device, and the agent's settings.

    ``seed`` is the run's, for a piece that draws random numbers of its own.
    """

    tasks: int
    device: torch.device
    settings: Any
    seed: int = 0


class Agent(Protocol):
    """Learns from batches and acts; owns neither environments nor files."""

    def act(self, obs: Tensor, task: Tensor | None = None, *, explore: bool) -> Tensor:
        """Return actions (T, N, action) in [-1, 1] for ``obs`` (T, N, obs).

        ``task``, (T,) int64, names the tasks that the leading axis stands for; None means all, in order.
        """

    def observe(self, obs: Tensor, reward: Tensor, ended: Tensor) -> None:
        """Update running statistics with a step of the environments: (T, N, obs), (T, N), (T, N) bool."""

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from a batch of all tasks, or of those it names. -> metrics, 0-d or (T,), still on the device."""

    def set_progress(self, fraction: float) -> None:
        """Set the fraction of the run that is done, in [0, 1], which schedules depend on."""

    def inspect(self, obs: Tensor) -> dict[str, Tensor]:
        """Return what can be seen of the agent's inner workings on ``obs`` (T, N, obs): name -> (T, ...)."""

    def diagnose(self, batch: Batch, history: Batch | None, generator: torch.Generator) -> dict[str, Tensor]:
        """Return what can be measured of why sharing helps or hurts: name -> 0-d, (T,) or (T, T), on the device.

        ``history`` holds consecutive steps, (T, C, W, ...), in the order of time. Nothing is learned from it, and what
        is drawn at random comes out of ``generator``.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return the weights by name."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Take over weights by name."""

    def training_state(self) -> dict[str, Any]:
        """Return everything that changes while training: weights, optimisers, running scales, generators."""

    def load_training_state(self, state: dict[str, Any]) -> None:
        """Continue from what ``training_state`` returned, with exactly the numbers that would have followed."""


def rows_of(table: Tensor, task: Tensor | None) -> Tensor:
    """Return the rows of a table (T, ...) that ``task`` names, or the table where it names all."""
    return table if task is None else table.index_select(0, task)


def seeded_generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a generator of its own on ``device``; the global one is neither read nor reseeded."""
    return torch.Generator(device=device).manual_seed(seed)
