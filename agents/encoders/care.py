"""CARE: a mixture of encoders, selected by attention that reads the task's context.

Sodhani, Zhang and Pineau, "Multi-Task Reinforcement Learning with Context-based Representations", ICML 2021.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from agents.encoders.context import ContextEncoder, ContextNetwork, context_network
from agents.encoders.encoder import EncoderShape
from agents.networks import StackedMLP


class ContextAttention(nn.Module):
    """Weights from the context alone: softmax of a network over it (what the released code computes)."""

    def __init__(self, context: int, hidden: Sequence[int], encoders: int, generator: torch.Generator) -> None:
        super().__init__()
        self.network = StackedMLP(1, context, hidden, encoders, generator, layer_norm=False)

    def forward(self, context: Tensor, encodings: Tensor) -> Tensor:
        """(T, context), (K, T, N, z) -> logits (K, T, 1), the same for every row of a task."""
        return self.network(context[None])[0].T[:, :, None]


class DotProductAttention(nn.Module):
    """Weights from how each encoding agrees with the context (as in the paper): they depend on the state."""

    def __init__(self, context: int, size: int, generator: torch.Generator) -> None:
        super().__init__()
        self.query = StackedMLP(1, context, (), size, generator)

    def forward(self, context: Tensor, encodings: Tensor) -> Tensor:
        """(T, context), (K, T, N, z) -> logits (K, T, N)."""
        query = self.query(context[None])[0]
        return torch.einsum("tz,ktnz->ktn", query, encodings) / math.sqrt(query.shape[-1])


class CAREEncoder(ContextEncoder):
    """K encoders of the observation, mixed by attention, with the context beside the mixture.

    ``detach_context`` keeps the attention's gradient out of the context network, as in the paper. ``sparsity``, if not
    0, is the weight of a loss that makes the mixture use fewer encoders.
    """

    def __init__(
        self,
        obs_size: int,
        encoders: int,
        hidden: Sequence[int],
        size: int,
        context: ContextNetwork,
        context_size: int,
        attention: nn.Module,
        temperature: float,
        detach_context: bool,
        layer_norm: bool,
        generator: torch.Generator,
        sparsity: float = 0.0,
    ) -> None:
        super().__init__(size + context_size)
        self.num_experts, self.temperature, self.detach_context = encoders, temperature, detach_context
        self.sparsity = sparsity
        self._masked_expert: Tensor | None = None
        self._auxiliary_loss: Tensor | None = None
        self.encoders = StackedMLP(encoders, obs_size, hidden, size, generator, layer_norm)
        self.context = context
        self.attention = attention

    def forward(self, obs: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, obs) -> (T, N, z + context)."""
        context = self.context(task)
        encodings, weights = self._encodings_and_weights(obs, context)
        if self.sparsity and torch.is_grad_enabled():
            self._auxiliary_loss = self.sparsity * torch.special.entr(weights.mean(dim=(1, 2))).sum()
        mixture = (weights[..., None] * encodings).sum(dim=0)
        return torch.cat([mixture, context[:, None, :].expand(-1, obs.shape[1], -1)], dim=-1)

    def auxiliary_loss(self) -> Tensor | None:
        """Return ``sparsity`` times the entropy of the tasks' mean attention, small if few encoders are used."""
        loss, self._auxiliary_loss = self._auxiliary_loss, None
        return loss

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of encoders, attention and context network, without task-specific ones."""
        return [p for part in (self.encoders, self.attention, self.context.network) for p in part.parameters()]

    def probed_layers(self) -> list[nn.Module]:
        """Return the encoders' probed layers, all in one stack."""
        return self.encoders.probed_layers()

    def mask_expert(self, expert: int | None) -> None:
        """Give one encoder no weight and renormalise the others; None unmasks. Raises ``ValueError`` if alone."""
        if self.num_experts < 2:
            raise ValueError("it has only one encoder")
        self._masked_expert = None if expert is None else torch.tensor([expert], device=self.context.known.device)

    def inspect(self, obs: Tensor) -> dict[str, Tensor]:
        """Return each task's ``attention`` to each encoder, averaged over rows: (T, N, obs) -> (T, K)."""
        _, weights = self._encodings_and_weights(obs, self.context())
        return {"attention": weights.mean(dim=2).T}

    def _encodings_and_weights(self, obs: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        tasks, rows, size = obs.shape
        encodings = self.encoders(obs.reshape(1, tasks * rows, size).expand(self.num_experts, -1, -1))
        encodings = encodings.view(self.num_experts, tasks, rows, -1)
        attended = context.detach() if self.detach_context else context
        logits = self.attention(attended, encodings)
        if self._masked_expert is not None:
            logits = logits.index_fill(0, self._masked_expert, -math.inf)
        return encodings, torch.softmax(logits / self.temperature, dim=0)


def care(shape: EncoderShape, generator: torch.Generator) -> CAREEncoder:
    """Make the mixture that the settings describe (``agents.registry.sharing_settings.CARESettings``)."""
    settings = shape.settings
    context = context_network(shape, generator)
    attention: nn.Module
    if settings.attention == "context":
        attention = ContextAttention(settings.context_size, settings.context_hidden, settings.encoders, generator)
    else:
        attention = DotProductAttention(settings.context_size, settings.encoder_size, generator)
    return CAREEncoder(
        shape.obs,
        settings.encoders,
        settings.encoder_hidden,
        settings.encoder_size,
        context,
        settings.context_size,
        attention,
        settings.attention_temperature,
        settings.detach_context,
        settings.layer_norm,
        generator,
        settings.attention_sparsity,
    )
