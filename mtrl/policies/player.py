"""A function that acts with a run's weights on any of its tasks, greedily or not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from envs.suite import TaskSuite
from mtrl.baselines.sb3_policy import sb3_player
from mtrl.config import TrainConfig, agent_spec
from mtrl.policies.trained import Player, act_padded, load_agent


def player_of(path: Path, config: TrainConfig[Any], suite: TaskSuite) -> Player:
    """Return a function that acts on any of a run's tasks. Raises ``UsageError`` if the weights do not fit."""
    if not agent_spec(config.agent).in_loop:
        return sb3_player(path, config, suite)
    agent, _, sizes = load_agent(path, config, suite)

    def play(obs: Tensor, task: Sequence[int], explore: bool) -> Tensor:
        rows = torch.tensor(task, device=obs.device)
        return act_padded(agent, sizes, obs, rows, explore)

    return play
