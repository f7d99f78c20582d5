"""FiLM: the task's context scales and shifts every feature of one encoder that all tasks share.

Perez, Strub, de Vries, Dumoulin and Courville, "FiLM: Visual Reasoning with a General Conditioning Layer", AAAI 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from agents.encoders.context import ContextEncoder, ContextNetwork, context_network
from agents.encoders.encoder import EncoderShape
from agents.networks import StackedLinear, normalized


class FiLMEncoder(ContextEncoder):
    """A perceptron whose layers are followed by (1 + gamma) x + beta, linear in the task's context.

    gamma and beta start at zero, so that all tasks start with the same encoder. A hidden layer is linear, layer norm
    if enabled, FiLM, ReLU; the last one is linear and FiLM.
    """

    def __init__(
        self,
        obs_size: int,
        hidden: Sequence[int],
        size: int,
        context: ContextNetwork,
        context_size: int,
        layer_norm: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__(size)
        self.widths, self.layer_norm = [*hidden, size], layer_norm
        self.context = context
        self.layers = nn.ModuleList(StackedLinear(1, a, b, generator) for a, b in pairwise([obs_size, *self.widths]))
        self.film = StackedLinear(1, context_size, 2 * sum(self.widths), generator)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, size)."""
        modulation = self.film(self.context(task)[None])[0]
        gammas, betas = (half.split(self.widths, dim=-1) for half in modulation.chunk(2, dim=-1))
        x = obs
        for layer, gamma, beta in zip(self.layers, gammas, betas, strict=True):
            last = layer is self.layers[-1]
            x = layer(x.reshape(1, -1, x.shape[-1])).view(*obs.shape[:2], -1)
            x = normalized(x) if self.layer_norm and not last else x
            x = (1.0 + gamma[:, None]) * x + beta[:, None]
            x = x if last else F.relu(x)
        return x

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of layers, modulation and context network, without task-specific ones."""
        return [p for part in (self.layers, self.film, self.context.network) for p in part.parameters()]

    def probed_layers(self) -> list[nn.Module]:
        """Return all layers but the first."""
        return [*self.layers[1:]]


def film(shape: EncoderShape, generator: torch.Generator) -> FiLMEncoder:
    """Make the encoder that the settings describe (``agents.registry.sharing_settings.FiLMSettings``)."""
    settings = shape.settings
    return FiLMEncoder(
        shape.obs,
        settings.film_hidden,
        settings.film_size,
        context_network(shape, generator),
        settings.context_size,
        settings.layer_norm,
        generator,
    )
