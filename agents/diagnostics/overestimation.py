"""The critics' predictions against the returns that followed."""

from __future__ import annotations

import torch
from torch import Tensor

from agents.base import Batch
from agents.diagnostics.actor_critic import ActorCritic
from agents.diagnostics.measures import soft_returns


@torch.no_grad()
def overestimation(agent: ActorCritic, history: Batch) -> Tensor:
    """Return how far the critics overestimate the return, on the first half of W consecutive steps: (T,).

    In units of the task's own reward, mean over steps and copies. The return is the soft one that the critics learn: it
    includes the policy's entropy times the temperature at every later step. It is counted to the episode's end; where
    that is a truncation, or the steps end before, it is bootstrapped with the critics' value of the successor.
    """
    tasks, copies, steps = history.reward.shape
    # Consecutive unless a new episode, or a lost step, lies between: then the next observation differs.
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
    predicted = agent.q(agent.encoder(chosen[0]), chosen[1])
    unit = agent.reward_scale(torch.ones_like(predicted[:, :1]))
    return ((predicted - returns[:, :, :first].flatten(1)) / unit).mean(dim=1)
