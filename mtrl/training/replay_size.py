"""How many transitions a run keeps, and whether they fit into memory."""

from __future__ import annotations

from typing import Any

from agents.base import seeded_generator
from agents.replay import Replay
from mtrl.config import TrainConfig
from mtrl.rollout.tensor_env import TensorEnv
from mtrl.training.memory import check_replay_fits, size_in_words


def replay_capacity(config: TrainConfig[Any]) -> int:
    """Return how many transitions of each task are kept: never more than the run collects."""
    return min(config.replay_per_task, config.steps_per_task + config.envs_per_task)


def replay_of(config: TrainConfig[Any], env: TensorEnv) -> tuple[Replay, str]:
    """Return the run's replay, and its size in words. Raises ``UsageError`` if it does not fit."""
    capacity = replay_capacity(config)
    needed = Replay.bytes_needed(env.tasks, capacity, env.obs_size, env.action_size)
    check_replay_fits(needed, env.device)
    generator = seeded_generator(config.seed, env.device)
    return Replay(env.tasks, capacity, env.obs_size, env.action_size, generator), size_in_words(needed)
