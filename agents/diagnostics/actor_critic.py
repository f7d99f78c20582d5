"""The interface that diagnostics need from an agent."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from agents.base import Batch
from agents.encoders import Encoder
from agents.trunks import Trunk


class ActorCritic(Protocol):
    """What diagnostics use of an agent; ``agents.sac.SAC`` provides and documents it."""

    encoder: Encoder
    actor: Trunk
    critic: Trunk
    reward_scale: Any
    log_temperature: nn.Parameter
    discount: float
    generator: torch.Generator

    def scaled(self, batch: Batch) -> Batch: ...

    def sample(self, z: Tensor, task: Tensor | None = None) -> tuple[Tensor, Tensor]: ...

    def critic_output(self, z: Tensor, action: Tensor, task: Tensor | None = None) -> Tensor: ...

    def q(self, z: Tensor, action: Tensor, task: Tensor | None = None) -> Tensor: ...

    def td_target(self, batch: Batch) -> Tensor: ...

    def critic_losses(
        self, z: Tensor, action: Tensor, target: Tensor, task: Tensor | None = None
    ) -> tuple[Tensor, Tensor]: ...

    def actor_losses(self, z: Tensor, task: Tensor | None = None) -> tuple[Tensor, Tensor]: ...
