"""Encoders that learn nothing: the observation as it is, and with the task's one-hot beside it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.base import rows_of


class PassThrough(nn.Module):
    """The observation itself. ``size`` is the width of what comes out."""

    def __init__(self, obs_size: int) -> None:
        super().__init__()
        self.size = obs_size

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, obs)."""
        return obs


class OneHot(nn.Module):
    """The observation and the task as one-hot (multi-task SAC, Yu et al. 2019)."""

    one_hot: Tensor

    def __init__(self, obs_size: int, tasks: int) -> None:
        super().__init__()
        self.size = obs_size + tasks
        self.register_buffer("one_hot", torch.eye(tasks), persistent=False)

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, obs + tasks)."""
        own = rows_of(self.one_hot, task)[:, None, :].expand(-1, obs.shape[1], -1)
        return torch.cat([obs, own], dim=-1)
