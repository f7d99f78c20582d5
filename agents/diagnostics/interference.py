"""How tasks' losses and gradients agree on shared weights."""

from __future__ import annotations

import torch
from torch import Tensor

from agents.base import Batch
from agents.diagnostics.actor_critic import ActorCritic
from agents.diagnostics.measures import conflict_rate, cosines, per_task_gradients


def interference(agent: ActorCritic, batch: Batch) -> dict[str, Tensor]:
    """Return shares of the losses, and how tasks' gradients agree on the shared encoder, or else on the critics."""
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
