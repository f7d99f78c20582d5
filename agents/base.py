"""The interface between the training loop and an agent: tensors with a leading task axis."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Transitions sampled for an update: N of each of T' tasks.

    Attributes:
        obs: (T', N, obs).
        action: (T', N, action) in [-1, 1], 0 in dimensions that the task does not have.
        reward: (T', N).
        terminated: (T', N), 1 where the episode terminated. A truncated one is 0: its value is bootstrapped.
        next_obs: (T', N, obs), the true successor, also at the end of an episode.
        task: (T',) int64, the task of each entry of the leading axis, in any order and possibly repeated; None for
            all T tasks in order.

    Example:
        >>> obs, rewards = torch.zeros(2, 8, 15), torch.ones(2, 8)
        >>> batch = mtrl.Batch(obs, torch.zeros(2, 8, 3), rewards, torch.zeros(2, 8), obs)
        >>> batch.apply(lambda tensor: tensor[:, :4]).reward.shape
        torch.Size([2, 4])
    """

    obs: Tensor
    action: Tensor
    reward: Tensor
    terminated: Tensor
    next_obs: Tensor
    task: Tensor | None = None

    def apply(self, function: Callable[[Tensor], Tensor]) -> Batch:
        """Return the batch with ``function`` applied to each tensor but ``task``."""
        return self._replace(
            obs=function(self.obs),
            action=function(self.action),
            reward=function(self.reward),
            terminated=function(self.terminated),
            next_obs=function(self.next_obs),
        )


@dataclass(frozen=True)
class PieceShape:
    """The argument of the constructors of samplers, heads, and aggregators and penalties that are classes.

    Args:
        tasks: T, the number of tasks.
        device: The learner's device.
        settings: The agent's settings, which include those of the piece.
        seed: The run's seed, for a piece that draws random numbers.
        numbers: Each task's number, where the suite's tasks differ in one; given to samplers only.

    Example:
        >>> class Weighted:
        ...     def __init__(self, shape: mtrl.PieceShape) -> None:
        ...         self.weights = torch.ones(shape.tasks, device=shape.device)
        ...
        ...     def __call__(self, losses: torch.Tensor, parameters: mtrl.Parameters) -> None:
        ...         (self.weights * losses).mean().backward(inputs=list(parameters.all))
        >>> Weighted(mtrl.PieceShape(3, torch.device("cpu"), settings=None)).weights
        tensor([1., 1., 1.])
    """

    tasks: int
    device: torch.device
    settings: Any
    seed: int = 0
    numbers: tuple[float, ...] | None = None


class Agent(Protocol):
    """Learns from batches and acts; owns neither environments nor files.

    It may also have ``break_off()``: called where running episodes will not be continued, as after a crash.
    """

    def act(self, obs: Tensor, task: Tensor | None = None, *, explore: bool) -> Tensor:
        """Return actions (T', N, action) in [-1, 1] for ``obs`` (T', N, obs).

        ``task``, (T',) int64, gives the tasks of the leading axis; None is all of them, in order. With ``explore``
        actions are sampled, otherwise they are deterministic.
        """

    def observe(self, obs: Tensor, reward: Tensor, ended: Tensor) -> None:
        """Update running statistics with a step of the environments: (T, N, obs), (T, N), (T, N) bool."""

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Take a gradient step on a batch and return metrics, 0-d or (T,), still on the device."""

    def set_progress(self, fraction: float) -> None:
        """Set the fraction of the run that is done, in [0, 1], which schedules depend on."""

    def inspect(self, obs: Tensor) -> dict[str, Tensor]:
        """Return quantities to visualise, such as attention weights, on ``obs`` (T, N, obs): name -> (T, K)."""

    def diagnose(self, batch: Batch, history: Batch | None, generator: torch.Generator) -> dict[str, Tensor]:
        """Measure why sharing helps or hurts, without learning: name -> 0-d, (T,) or (T, T), on the device.

        ``history`` holds W consecutive steps of C copies, (T, C, W, ...), in chronological order. Random numbers are
        drawn from ``generator``.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return the weights by name."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Load weights by name."""

    def training_state(self) -> dict[str, Any]:
        """Return everything that training changes: weights, optimisers, running statistics, generators."""

    def load_training_state(self, state: dict[str, Any]) -> None:
        """Restore what ``training_state`` returned, so that training continues with exactly the same numbers."""


def rows_of(table: Tensor, task: Tensor | None) -> Tensor:
    """Return the rows ``task`` of a table (T, ...), or the whole table for None."""
    return table if task is None else table.index_select(0, task)


def restore_generator(generator: torch.Generator, state: Tensor) -> None:
    """Put a generator into a saved state; a state from another kind of device only seeds it, since it does not fit."""
    if state.shape == generator.get_state().shape:
        generator.set_state(state)
    else:
        digest = hashlib.sha256(state.numpy().tobytes()).digest()
        generator.manual_seed(int.from_bytes(digest[:7], "big"))


def seeded_generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a new generator on ``device``; the global one is neither used nor reseeded."""
    return torch.Generator(device=device).manual_seed(seed)
