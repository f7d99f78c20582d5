"""The observation with the task's context appended: CARE's context without its mixture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.encoders.context import ContextEncoder, ContextNetwork, context_network
from agents.encoders.encoder import EncoderShape


class ConcatenatedContext(ContextEncoder):
    """Appends the task's context, the output of a small network, to the observation."""

    def __init__(self, obs_size: int, context: ContextNetwork, context_size: int) -> None:
        super().__init__(obs_size + context_size)
        self.context = context

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, obs + context)."""
        own = self.context(task)[:, None, :].expand(-1, obs.shape[1], -1)
        return torch.cat([obs, own], dim=-1)

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the context network's parameters, without task-specific ones."""
        return [*self.context.network.parameters()]


def concatenated(shape: EncoderShape, generator: torch.Generator) -> ConcatenatedContext:
    """Make the encoder that the settings describe (``agents.registry.settings.ContextNetworkSettings``)."""
    return ConcatenatedContext(shape.obs, context_network(shape, generator), shape.settings.context_size)
