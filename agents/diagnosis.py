"""What a soft actor-critic shows of why sharing helps or hurts, measured on a batch and on the steps last taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from agents.base import Batch
from agents.diagnostics import (
    conflict_rate,
    cosines,
    dormant,
    effective_rank,
    mutual_information,
    per_task_gradients,
    soft_returns,
)
from agents.encoders import Encoder
from agents.trunks import Trunk


class ActorCritic(Protocol):
    """What a diagnosis asks of an agent; ``agents.sac.SAC`` has it all, and says what each is."""

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


def diagnose(agent: ActorCritic, batch: Batch, history: Batch | None, generator: torch.Generator) -> dict[str, Tensor]:
    """Measure the agent on a batch (T, N, ...) and consecutive steps (T, C, W, ...) -> name to 0-d, (T,) or (T, T).

    Nothing is learned: weights, ``.grad`` and the agent's own generator stay as they are; noise is ``generator``'s.
    """
    with _noise_from(agent, generator):
        batch = agent.scaled(batch)
        found = {**_interference(agent, batch), **_capacity(agent, batch), **_routing(agent, batch.obs)}
        return found if history is None else {**found, "q_overestimation": overestimation(agent, history)}


def _interference(agent: ActorCritic, batch: Batch) -> dict[str, Tensor]:
    """Share of the losses, and how tasks' gradients agree where they share: on the encoder, else on the critics."""
    tasks, device = len(batch.obs), batch.obs.device
    target = agent.td_target(batch)
    numbers = torch.arange(tasks, device=device)

    def critic_loss(t: int) -> Tensor:
        task = numbers[t : t + 1]
        z = agent.encoder(batch.obs[t : t + 1], task)
        return agent.critic_losses(z, batch.action[t : t + 1], target[t : t + 1], task)[0][0]

    def actor_loss(t: int) -> Tensor:
        task = numbers[t : t + 1]
        with torch.no_grad():
            z = agent.encoder(batch.obs[t : t + 1], task)
        return agent.actor_losses(z, task)[0][0]

    shared = agent.encoder.shared_parameters() or agent.critic.shared_parameters()
    if tasks < 2 or not shared:
        with torch.no_grad():
            losses = agent.critic_losses(agent.encoder(batch.obs), batch.action, target)[0]
        return {"loss_share": losses / losses.sum()}
    losses, gradients = per_task_gradients(critic_loss, tasks, shared)
    norm, cosine = gradients.norm(dim=1), cosines(gradients)
    found = {
        "loss_share": losses / losses.sum(),
        "gradient_norm": norm,
        "gradient_norm_ratio": norm.amax() / norm.amin(),
        "gradient_cosine": cosine,
        "conflict_rate": conflict_rate(cosine),
    }
    if shared := agent.actor.shared_parameters():
        cosine = cosines(per_task_gradients(actor_loss, tasks, shared)[1])
        found |= {"actor_gradient_cosine": cosine, "actor_conflict_rate": conflict_rate(cosine)}
    return found


@torch.no_grad()
def _capacity(agent: ActorCritic, batch: Batch) -> dict[str, Tensor]:
    """Dormant units of the encoder, the critics and the actor, and the effective rank of the critics' features."""
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


@torch.no_grad()
def _routing(agent: ActorCritic, obs: Tensor) -> dict[str, Tensor]:
    """What the encoder's weights tell of the task, and how alike the tasks' contexts are."""
    found = {f"{name}_information": mutual_information(weights) for name, weights in agent.encoder.inspect(obs).items()}
    context = agent.encoder.contexts()
    return found if context is None else {**found, "context_similarity": cosines(context)}


@torch.no_grad()
def overestimation(agent: ActorCritic, history: Batch) -> Tensor:
    """Return how far the critics overestimate the return, on the first half of W consecutive steps: (T,).

    In units of the task's own reward, mean over steps and copies. The return is the soft one that the critics
    learn: it holds the policy's entropy times the temperature at every later step. It is counted to the episode's end;
    where that is a truncation, or the steps end before, it is bootstrapped with the critics' value of the successor.
    """
    tasks, copies, steps = history.reward.shape
    # Consecutive unless a new episode, or a lost step, lies between: then the next observation is another.
    same = (history.next_obs[:, :, :-1] == history.obs[:, :, 1:]).all(dim=-1)
    followed = torch.cat([same, torch.zeros_like(same[:, :, :1])], dim=2)
    flat = agent.scaled(history.apply(lambda part: part.flatten(1, 2)))
    next_z = agent.encoder(flat.next_obs)
    next_action, log_prob = agent.sample(next_z)
    value = agent.q(next_z, next_action)
    bonus = -agent.log_temperature.exp()[:, None] * log_prob
    reward, bonus, terminated, value = (
        part.view(tasks, copies, steps) for part in (flat.reward, bonus, flat.terminated, value)
    )
    returns = soft_returns(reward, bonus, terminated, followed, value, agent.discount)
    first = (steps + 1) // 2
    chosen = [part.view(tasks, copies, steps, -1)[:, :, :first].flatten(1, 2) for part in (flat.obs, flat.action)]
    said = agent.q(agent.encoder(chosen[0]), chosen[1])
    unit = agent.reward_scale(torch.ones_like(said[:, :1]))
    return ((said - returns[:, :, :first].flatten(1)) / unit).mean(dim=1)


@contextmanager
def _watch(layers: Sequence[nn.Module]) -> Iterator[dict[nn.Module, Tensor]]:
    """Keep what each of these layers is given while the block runs."""
    seen: dict[nn.Module, Tensor] = {}

    def keep(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        seen[layer] = given[0]

    hooks = [layer.register_forward_pre_hook(keep) for layer in layers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _noise_from(agent: ActorCritic, generator: torch.Generator) -> Iterator[None]:
    """Let the agent's noise come from another generator while the block runs."""
    own, agent.generator = agent.generator, generator
    try:
        yield
    finally:
        agent.generator = own
