"""One episode of each task as it is played, moment by moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from envs.stepping.vector import MultiTaskVectorEnv
from mtrl.scoring.scores import Policy

LONGEST = 500  # steps


class Moment(NamedTuple):
    """Where each task's episode stands; that of a task that ended stays where it ended."""

    step: int
    steps: np.ndarray  # (T,) int: of each task's episode
    totals: np.ndarray  # (T,) rewards added up
    solved: np.ndarray  # (T,) bool: at some step so far
    running: np.ndarray  # (T,) bool


def moments(env: MultiTaskVectorEnv, policy: Policy, seed: int, device: torch.device) -> Iterator[Moment]:
    """Play one episode of each task, ``LONGEST`` steps at most -> how it stands at its start and after each step."""
    tasks = env.num_tasks
    steps, totals = np.zeros(tasks, dtype=np.int64), np.zeros(tasks)
    solved, running = np.zeros(tasks, dtype=bool), np.ones(tasks, dtype=bool)
    obs, _ = env.reset(seed=seed)
    yield Moment(0, steps, totals, solved, running)
    for step in range(1, LONGEST + 1):
        action = policy(torch.as_tensor(env.split(obs), device=device))
        obs, _, _, _, info = env.step(action.flatten(0, 1).cpu().numpy())
        episode = info["episode"]
        steps = np.where(running, step, steps)
        totals = np.where(running, episode["r"], totals)
        solved = np.where(running, episode["success_any"] > 0, solved)
        running = running & ~info["_final_obs"]
        yield Moment(step, steps, totals, solved, running)
        if not running.any():
            return
