"""A hyper-network: the task's context generates the weights of the layer that reads the observation.

Ha, Dai and Le, "HyperNetworks", ICLR 2017. The generated weights start as those of ``torch.nn.Linear``, the same for
all tasks up to a tenth of their size (on why their scale matters: Chang, Flokas and Lipson, "Principled Weight
Initialization for Hypernetworks", ICLR 2020).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from agents.encoders.context import ContextEncoder, ContextNetwork, context_network
from agents.encoders.encoder import EncoderShape
from agents.networks import StackedLinear, hidden_activation

INITIAL_SPREAD = 0.1  # of tasks' weights around their common part


class HyperEncoder(ContextEncoder):
    """A layer whose weights the context generates, followed by a layer that all tasks share."""

    def __init__(
        self,
        obs_size: int,
        hidden: int,
        size: int,
        context: ContextNetwork,
        context_size: int,
        layer_norm: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__(size)
        self.hidden, self.layer_norm, self.context = hidden, layer_norm, context
        self.writer = StackedLinear(1, context_size, (obs_size + 1) * hidden, generator)
        bound = 1.0 / math.sqrt(obs_size)
        with torch.no_grad():
            self.writer.bias.uniform_(-bound, bound, generator=generator)
            self.writer.weight.mul_(INITIAL_SPREAD * bound)
        self.last = StackedLinear(1, hidden, size, generator)

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, size)."""
        generated = self.writer(self.context(task)[None])[0].unflatten(-1, (obs.shape[-1] + 1, self.hidden))
        x = hidden_activation(torch.baddbmm(generated[:, -1:], obs, generated[:, :-1]), self.layer_norm)
        return self.last(x.flatten(0, 1)[None])[0].unflatten(0, obs.shape[:2])

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return all parameters but the task-specific ones of the context."""
        return [p for part in (self.writer, self.last, self.context.network) for p in part.parameters()]

    def probed_layers(self) -> list[nn.Module]:
        """Return the layer that all tasks share."""
        return [self.last]


def hyper(shape: EncoderShape, generator: torch.Generator) -> HyperEncoder:
    """Make the encoder that the settings describe (``agents.registry.sharing_settings.HyperSettings``)."""
    settings = shape.settings
    return HyperEncoder(
        shape.obs,
        settings.hyper_hidden,
        settings.hyper_size,
        context_network(shape, generator),
        settings.context_size,
        settings.layer_norm,
        generator,
    )
