"""Running scales of observations and rewards, learned from what the agent sees as it acts."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Unscaled(nn.Module):
    """Leaves everything as it is."""

    def see(self, *_: Tensor) -> None:
        """Nothing is learned."""

    def forward(self, values: Tensor) -> Tensor:
        """Return ``values``."""
        return values


class ObsScale(nn.Module):
    """Brings each number of the observation to zero mean and unit variance over all tasks seen, cut at +-``limit``."""

    count: Tensor
    mean: Tensor
    square: Tensor

    def __init__(self, obs_size: int, limit: float = 10.0) -> None:
        super().__init__()
        self.limit = limit
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(obs_size, dtype=torch.float64))
        self.register_buffer("square", torch.zeros(obs_size, dtype=torch.float64))  # sum of squared deviations

    def see(self, obs: Tensor) -> None:
        """Take in observations (T, N, obs); the moments are pooled exactly (Chan et al. 1983)."""
        rows = obs.reshape(-1, obs.shape[-1]).double()
        added = rows.shape[0]
        if not added:
            return
        total = self.count + added
        delta = rows.mean(dim=0) - self.mean
        self.square += (rows - rows.mean(dim=0)).square().sum(dim=0) + delta.square() * self.count * added / total
        self.mean += delta * added / total
        self.count += added

    def forward(self, obs: Tensor) -> Tensor:
        """(T, N, obs) -> (T, N, obs)."""
        deviation = (self.square / self.count.clamp_min(1.0)).sqrt()
        # A number that never changes carries nothing, whatever its value.
        deviation = torch.where(deviation < 1e-6, torch.ones_like(deviation), deviation)
        return ((obs - self.mean.float()) / deviation.float()).clamp(-self.limit, self.limit)


class ReturnScale(nn.Module):
    """Divides each task's rewards so that the largest discounted return met so far becomes ``reach``.

    After BRC (Nauman et al. 2025), which scales by the largest Monte-Carlo return: tasks with small rewards then weigh
    as much as those with large ones. The return is summed forward, sum of discount^(t-k) r_k, so that no episode has to
    be kept.
    """

    largest: Tensor
    running: Tensor

    def __init__(self, tasks: int, discount: float, reach: float) -> None:
        super().__init__()
        self.discount, self.reach = discount, reach
        self.register_buffer("largest", torch.zeros(tasks))
        self.register_buffer("running", torch.zeros(tasks, 1), persistent=False)

    def see(self, reward: Tensor, ended: Tensor) -> None:
        """Take in a step's rewards (T, N) and where an episode ended (T, N) bool."""
        if self.running.shape != reward.shape:
            self.running = torch.zeros_like(reward)
        self.running = self.discount * self.running + reward
        self.largest = torch.maximum(self.largest, self.running.abs().amax(dim=1))
        self.running = self.running * ~ended

    def forward(self, reward: Tensor) -> Tensor:
        """(T, N) -> (T, N)."""
        scale = torch.where(self.largest > 0, self.largest / self.reach, torch.ones_like(self.largest))
        return reward / scale[:, None]
