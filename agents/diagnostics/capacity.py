"""How much of the networks' capacity is in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from agents.base import Batch
from agents.diagnostics.actor_critic import ActorCritic
from agents.diagnostics.measures import dormant, effective_rank
from agents.encoders import Encoder
from agents.trunks import Trunk


@torch.no_grad()
def capacity(agent: ActorCritic, batch: Batch) -> dict[str, Tensor]:
    """Measure dormant units of encoder, critics and actor, and the effective rank of the critics' features."""
    parts: dict[str, Encoder | Trunk] = {"encoder": agent.encoder, "critic": agent.critic, "actor": agent.actor}
    layers_of = {name: part.probed_layers() for name, part in parts.items()}
    with _watch([layer for layers in layers_of.values() for layer in layers]) as seen:
        z = agent.encoder(batch.obs)
        agent.critic_output(z, batch.action)
        agent.actor(z)
    quiet = {
        name: torch.cat([dormant(seen[layer]).flatten() for layer in layers])
        for name, layers in layers_of.items()
        if layers
    }
    found = {f"dormant_share/{name}": units.float().mean() for name, units in quiet.items()}
    if quiet:
        found["dormant_share"] = torch.cat([*quiet.values()]).float().mean()
    if layers_of["critic"]:
        found["effective_rank"] = effective_rank(seen[layers_of["critic"][-1]]).mean()
    return found


@contextmanager
def _watch(layers: Sequence[nn.Module]) -> Iterator[dict[nn.Module, Tensor]]:
    """Record the inputs of these layers while the block runs."""
    seen: dict[nn.Module, Tensor] = {}

    def record(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[layer] = inputs[0].flatten(1, -2)  # (G, R, units), also where tasks are a separate axis

    hooks = [layer.register_forward_pre_hook(record) for layer in layers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
