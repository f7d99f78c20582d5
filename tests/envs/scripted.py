"""Environments that play a script, so that every number is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from envs.suite import Task, TaskSuite

Step = tuple[float, bool, bool]  # reward, terminated, truncated


class Scripted(gym.Env[np.ndarray, np.ndarray]):
    """Observation (episode since the last seed, step, start); every episode plays ``script``."""

    def __init__(self, script: Sequence[Step], low: float = -1.0, high: float = 1.0, actions: int = 1, size: int = 3):
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (size,), np.float64)
        self.action_space = gym.spaces.Box(low, high, (actions,), np.float32)
        self.script, self.episode, self.received = script, -1, []

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.episode, self.count = 0 if seed is not None else self.episode + 1, 0
        self.start = self.np_random.random()
        return self._obs(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.received.append(np.array(action))
        reward, terminated, truncated = self.script[self.count]
        self.count += 1
        return self._obs(), reward, terminated, truncated, self.info()

    def info(self) -> dict[str, Any]:
        return {"success": float(self.count == 2)}

    def _obs(self) -> np.ndarray:
        return np.array([self.episode, self.count, self.start, 9.0, 9.0][: self.observation_space.shape[0]])


CALM: Step = (0.5, False, False)


def suite_of(*makers: Callable[..., gym.Env[Any, Any]], name: str = "scripted") -> TaskSuite:
    """Return a suite with one task per maker, named a, b, c, ..."""
    return TaskSuite(name, [Task("abcdefgh"[k], make, f"Task number {k}.") for k, make in enumerate(makers)])
