"""What ``check_agent`` tries an agent on: three small tasks, and batches of noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from agents.base import Batch, seeded_generator
from agents.build import Sizes, build_agent, build_sampler
from agents.registry.spec import AgentSpec

CPU = torch.device("cpu")
TASKS, ROWS, OBS, ACTIONS, CONTEXT = 3, 16, 4, 2, 6
UPDATES = 4


class Skip(Exception):
    """A property that does not apply to this agent."""


@dataclass(frozen=True)
class Trial:
    spec: AgentSpec
    settings: Any

    def agent(self, seed: int = 0, mask: Tensor | None = None, order: Tensor | None = None) -> Any:
        """Build a new agent: ``mask`` (T, A) marks the tasks' actions, ``order`` (T,) permutes their contexts."""
        context = noise(TASKS, CONTEXT, seed=5)
        context = context / context.norm(dim=1, keepdim=True)
        mask = torch.ones(TASKS, ACTIONS, dtype=torch.bool) if mask is None else mask
        sizes = Sizes(OBS, mask, context if order is None else context[order])
        return build_agent(self.spec, sizes, self.settings, seed, CPU)

    def sampler(self) -> Any:
        """Build a new sampler, for tasks that differ in one number."""
        return build_sampler(self.spec, TASKS, self.settings, 0, CPU, tuple(map(float, range(TASKS))))


def noise(*shape: int, seed: int) -> Tensor:
    """Return standard normal numbers from this seed."""
    return torch.randn(shape, generator=seeded_generator(seed))


def noisy_batch(seed: int) -> Batch:
    """Return a batch of noise for three tasks."""
    return Batch(
        obs=noise(TASKS, ROWS, OBS, seed=10 * seed),
        action=torch.tanh(noise(TASKS, ROWS, ACTIONS, seed=10 * seed + 1)),
        reward=noise(TASKS, ROWS, seed=10 * seed + 2),
        terminated=(noise(TASKS, ROWS, seed=10 * seed + 3) > 1.0).float(),
        next_obs=noise(TASKS, ROWS, OBS, seed=10 * seed + 4),
    )


def trained(agent: Any, first: int = 0) -> Any:
    """Return the agent after ``UPDATES`` updates, on the batches from number ``first`` on."""
    for seed in range(first, first + UPDATES):
        batch = noisy_batch(seed)
        agent.observe(batch.obs, batch.reward, batch.terminated > 0)
        agent.update(batch)
    return agent
