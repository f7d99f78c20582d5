"""What an encoder is, and two that learn nothing: the observation as it is, and with the task's one-hot beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from agents.base import rows_of


@dataclass(frozen=True)
class EncoderShape:
    """What every encoder is told.

    ``context`` is (T, d), what is known of each task, in rows of about unit norm; d is 0 where nothing is.
    ``learned_context`` asks for a learned row per task beside it. ``settings`` are the agent's, those of the encoder
    among them.
    """

    obs: int
    tasks: int
    context: Tensor
    learned_context: bool
    settings: Any


class Encoder(nn.Module):
    """Turns observations into what actor and critics read; ``size`` is its width.

    A subclass that is made by name is called as ``Mine(shape, generator)`` with an ``EncoderShape``, and draws its
    weights from ``generator``, on the CPU.
    """

    num_experts = 1  # of the mixture; 1 where it is none

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def inspect(self, obs: Tensor) -> dict[str, Tensor]:
        """Return what can be seen of the encoder's workings on ``obs`` (T, N, obs): name -> (T, K). Here nothing."""
        return {}

    def contexts(self) -> Tensor | None:
        """Return what the encoder knows tasks by, (T, d), where it computes such a thing."""
        return None

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that all tasks train. Here none."""
        return []

    def own_parameters(self) -> list[nn.Parameter]:
        """Return those of which each task has its own, (T, ...). Here none."""
        return []

    def probed_layers(self) -> list[nn.Module]:
        """Return the layers whose inputs are hidden units, for diagnoses of capacity. Default: none."""
        return []

    def mask_expert(self, expert: int | None) -> None:
        """Mask one expert of the mixture, None: none. Raises ``ValueError`` if the encoder is not a mixture."""
        raise ValueError("its encoder is not a mixture")

    def set_tasks(self, context: Tensor) -> None:
        """Replace the tasks by new ones, given their contexts (T', d). Raises ``ValueError`` if it reads no context."""
        raise ValueError("it reads no context, so it cannot know a new task")


MakeEncoder = Callable[[EncoderShape, torch.Generator], Encoder]


class PassThrough(Encoder):
    """The observation itself."""

    def __init__(self, obs_size: int) -> None:
        super().__init__(obs_size)

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, obs)."""
        return obs


class OneHot(Encoder):
    """The observation and the task as one-hot (multi-task SAC, Yu et al. 2019)."""

    one_hot: Tensor

    def __init__(self, obs_size: int, tasks: int) -> None:
        super().__init__(obs_size + tasks)
        self.register_buffer("one_hot", torch.eye(tasks), persistent=False)

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, obs + tasks)."""
        own = rows_of(self.one_hot, task)[:, None, :].expand(-1, obs.shape[1], -1)
        return torch.cat([obs, own], dim=-1)


def none(shape: EncoderShape, generator: torch.Generator) -> PassThrough:
    """Make the encoder that leaves observations as they are."""
    return PassThrough(shape.obs)


def one_hot(shape: EncoderShape, generator: torch.Generator) -> OneHot:
    """Make the encoder that puts the task's one-hot beside the observation."""
    return OneHot(shape.obs, shape.tasks)
