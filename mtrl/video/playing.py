"""One episode of each task, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import numpy as np
import torch

from envs.stepping.vector import MultiTaskVectorEnv
from mtrl.scoring.scores import Policy


class EpisodeFrame(NamedTuple):
    """The state of each task's episode after ``step`` steps; a finished episode keeps its final state."""

    step: int
    steps: np.ndarray  # (T,) int: length of each task's episode so far
    returns: np.ndarray  # (T,) sum of rewards so far
    solved: np.ndarray  # (T,) bool: at some step so far
    running: np.ndarray  # (T,) bool


def episode_frames(
    env: MultiTaskVectorEnv, policy: Policy, seed: int, device: torch.device, max_steps: int | None = None
) -> Iterator[EpisodeFrame]:
    """Play one episode of each task, for at most ``max_steps``; yield a frame at the start and after each step."""
    tasks = env.num_tasks
    steps, returns = np.zeros(tasks, dtype=np.int64), np.zeros(tasks)
    solved, running = np.zeros(tasks, dtype=bool), np.ones(tasks, dtype=bool)
    obs, _ = env.reset(seed=seed)
    yield EpisodeFrame(0, steps, returns, solved, running)
    for step in count(1) if max_steps is None else range(1, max_steps + 1):
        action = policy(torch.as_tensor(env.split(obs), device=device))
        obs, _, _, _, info = env.step(action.flatten(0, 1).cpu().numpy())
        episode = info["episode"]
        steps = np.where(running, step, steps)
        returns = np.where(running, episode["r"], returns)
        solved = np.where(running, episode["success_any"] > 0, solved)
        running = running & ~info["_final_obs"]
        yield EpisodeFrame(step, steps, returns, solved, running)
        if not running.any():
            return
