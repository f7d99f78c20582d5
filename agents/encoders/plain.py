"""Encoders that learn nothing: the observation itself, and with the task's one-hot vector appended."""

from __future__ import annotations

import torch
from torch import Tensor

from agents.base import rows_of
from agents.encoders.encoder import Encoder, EncoderShape


class PassThrough(Encoder):
    """The observation itself."""

    def __init__(self, obs_size: int) -> None:
        super().__init__(obs_size)

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, obs)."""
        return obs


class OneHot(Encoder):
    """The observation and the task's one-hot vector (multi-task SAC, Yu et al. 2019)."""

    one_hot: Tensor

    def __init__(self, obs_size: int, tasks: int) -> None:
        super().__init__(obs_size + tasks)
        self.register_buffer("one_hot", torch.eye(tasks), persistent=False)

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, obs + tasks)."""
        own = rows_of(self.one_hot, task)[:, None, :].expand(-1, obs.shape[1], -1)
        return torch.cat([obs, own], dim=-1)


def none(shape: EncoderShape, generator: torch.Generator) -> PassThrough:
    """Make the encoder that passes observations through."""
    return PassThrough(shape.obs)


def one_hot(shape: EncoderShape, generator: torch.Generator) -> OneHot:
    """Make the encoder that appends the task's one-hot to the observation."""
    return OneHot(shape.obs, shape.tasks)
