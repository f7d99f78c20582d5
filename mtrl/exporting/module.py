"""The exported module: maps observations and a task's number to actions of its environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from agents.base import rows_of
from envs.spaces.task_spaces import TaskSpaces, spaces_of
from envs.suite import TaskSuite
from mtrl.baselines.sb3_policy import load_sb3
from mtrl.config import TrainConfig, agent_spec
from mtrl.policies.trained import load_agent


class Actor(Protocol):
    """Acts for one task: an agent, or Stable-Baselines3's models as one module."""

    def act(self, obs: Tensor, task: Tensor, explore: bool) -> Tensor:
        """(1, N, obs) and the task's number (1,) -> (1, N, action) in [-1, 1]."""


class ExportedTask(NamedTuple):
    """A task in a file's metadata; its number is its position."""

    name: str
    obs_size: int
    action_size: int


class ExportedPolicy(nn.Module):
    """A deterministic policy for one task at a time, like ``Policy.predict``, but using only tensors.

    For every task, the module ``actor`` maps observations of size ``obs_size`` to actions of size ``action_size``.
    """

    low: Tensor
    high: Tensor
    whole: Tensor | None  # (T,) bool: which tasks have actions of whole numbers; None if no task has

    def __init__(self, actor: Actor, obs_size: int, action_size: int, spaces: list[TaskSpaces]) -> None:
        super().__init__()
        self.actor = actor
        self.obs_size, self.action_size = obs_size, action_size
        self.tasks = [ExportedTask(own.task, own.obs_size, own.action.size) for own in spaces]
        low, high = torch.zeros(2, len(spaces), action_size, dtype=torch.float64)
        for t, own in enumerate(spaces):
            low[t, : own.action.size] = torch.as_tensor(own.action.low)
            high[t, : own.action.size] = torch.as_tensor(own.action.high)
        self.register_buffer("low", low)
        self.register_buffer("high", high)
        whole = torch.tensor([own.action.whole for own in spaces])
        self.register_buffer("whole", whole if whole.any() else None)

    def forward(self, obs: Tensor, task: Tensor) -> Tensor:
        """(N, obs) float32, () int64 -> (N, action) float32; scaled to the bounds as ``envs.spaces.bounds`` does it."""
        row = task.reshape(1)
        action = self.actor.act(obs[None], row, explore=False)[0].double()
        low, high = rows_of(self.low, row), rows_of(self.high, row)
        unscaled = low + (high - low) / 2.0 * (1.0 + action.clamp(-1.0, 1.0))
        own = torch.minimum(torch.maximum(unscaled, low), high)
        if self.whole is not None:
            own = torch.where(rows_of(self.whole, row)[:, None], own.round(), own)
        return own.float()


def exported_policy(path: Path, config: TrainConfig[Any], suite: TaskSuite) -> ExportedPolicy:
    """Return a run's policy for export. Raises ``UsageError`` if its weights are missing or do not fit."""
    spaces = [spaces_of(task) for task in suite.tasks]
    if agent_spec(config.agent).in_loop:
        agent, _, sizes = load_agent(path, config, suite)
        policy = ExportedPolicy(agent, sizes.obs, sizes.action_mask.shape[1], spaces)
    else:
        from mtrl.exporting.sb3 import SB3Actor

        actor = SB3Actor([model.actor for model in load_sb3(path, config, suite)])
        policy = ExportedPolicy(actor, actor.obs_size, actor.action_size, spaces)
    return policy.requires_grad_(False).eval()
