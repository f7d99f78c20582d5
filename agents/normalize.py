"""Running normalisation of observations and rewards, from what the agent observes as it acts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.base import rows_of


class Unscaled(nn.Module):
    """Changes nothing."""

    def observe(self, *_: Tensor | None) -> None:
        """Do nothing."""

    def forward(self, values: Tensor, task: Tensor | None = None) -> Tensor:
        """Return ``values``."""
        return values

    def break_off(self) -> None:
        """Do nothing."""


class ObsScale(nn.Module):
    """Normalises each component of the observation to zero mean and unit variance, clipped at +-``limit``.

    The moments are pooled over all tasks; with ``tasks``, each task has its own, for agents that share nothing.
    """

    count: Tensor
    mean: Tensor
    square: Tensor

    def __init__(self, obs_size: int, limit: float = 10.0, tasks: int | None = None) -> None:
        super().__init__()
        self.limit = limit
        shape = (obs_size,) if tasks is None else (tasks, 1, obs_size)
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))  # of rows, the same for every task
        self.register_buffer("mean", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("square", torch.zeros(shape, dtype=torch.float64))  # sum of squared deviations

    def observe(self, obs: Tensor, task: Tensor | None = None) -> None:
        """Update the moments with observations (T, N, obs); they are pooled exactly (Chan et al. 1983).

        Per-task moments do not change if only some tasks, ``task``, are observed.
        """
        per_task = self.mean.dim() == 3
        if per_task and task is not None:
            return
        rows = obs.double() if per_task else obs.reshape(-1, obs.shape[-1]).double()
        added = rows.shape[-2]
        if not added:
            return
        total = self.count + added
        mean = rows.mean(dim=-2, keepdim=per_task)
        delta = mean - self.mean
        deviations = (rows - mean).square().sum(dim=-2, keepdim=per_task)
        self.square += deviations + delta.square() * self.count * added / total
        self.mean += delta * added / total
        self.count += added

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, obs); ``task``, (T,) int64, gives the tasks of the leading axis."""
        mean, square = (m if m.dim() == 1 else rows_of(m, task) for m in (self.mean, self.square))
        deviation = (square / self.count.clamp_min(1.0)).sqrt()
        # A component that never changes carries no information, whatever its value.
        deviation = torch.where(deviation < 1e-6, torch.ones_like(deviation), deviation)
        return ((obs - mean.float()) / deviation.float()).clamp(-self.limit, self.limit)


class ReturnScale(nn.Module):
    """Divides each task's rewards so that the largest discounted return observed so far becomes ``v_max``.

    After BRC (Nauman et al. 2025), which scales by the largest Monte-Carlo return: tasks with small rewards then weigh
    as much as those with large ones. The return is summed forward, sum of discount^(t-k) r_k, so that no episode has to
    be stored.
    """

    largest: Tensor
    running: Tensor

    def __init__(self, tasks: int, discount: float, v_max: float) -> None:
        super().__init__()
        self.discount, self.v_max = discount, v_max
        self.register_buffer("largest", torch.zeros(tasks))
        self.register_buffer("running", torch.zeros(tasks, 1), persistent=False)

    def observe(self, reward: Tensor, ended: Tensor, task: Tensor | None = None) -> None:
        """Update the running returns with a step's rewards (T, N) and where an episode ended, (T, N) bool.

        ``task`` is as for ``forward``, and must be the same at every call, since returns are summed.
        """
        if self.running.shape != reward.shape:
            self.running = torch.zeros_like(reward)
        self.running = self.discount * self.running + reward
        largest = torch.maximum(rows_of(self.largest, task), self.running.abs().amax(dim=1))
        # In place, since a captured CUDA graph reads the original memory.
        self.largest.copy_(largest if task is None else self.largest.index_copy(0, task, largest))
        self.running = self.running * ~ended

    def break_off(self) -> None:
        """Forget the returns of running episodes, which will not be continued."""
        self.running = torch.zeros_like(self.running)

    def forward(self, reward: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N) -> (T, N); ``task`` as for observations."""
        scale = torch.where(self.largest > 0, self.largest / self.v_max, torch.ones_like(self.largest))
        return reward / rows_of(scale, task)[:, None]
