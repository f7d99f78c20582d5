"""One task's copies as a Stable-Baselines3 vector environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from envs.stepping.heartbeat import Heartbeat
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import TaskSuite


class SB3VecEnv(VecEnv):
    """``copies`` of a suite of one task as a Stable-Baselines3 ``VecEnv``; ``seed`` seeds its first reset.

    ``heartbeat`` records when a call of an environment starts, and when none is running.
    """

    def __init__(self, suite: TaskSuite, copies: int, seed: int, heartbeat: Heartbeat | None = None) -> None:
        self._heartbeat = heartbeat
        self._env = MultiTaskVectorEnv(suite, copies, on_call=None if heartbeat is None else heartbeat.enter)
        self._start: int | None = seed
        space = self._env.single_observation_space
        super().__init__(copies, space, self._env.single_action_space)
        self._leave()

    def reset(self) -> np.ndarray:
        """Start an episode in every copy."""
        obs, _ = self._env.reset(seed=self._start)
        self._start = None
        self._leave()
        return obs

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Step every copy; infos have Stable-Baselines3's keys: terminal_observation, TimeLimit.truncated, episode."""
        obs, reward, terminated, truncated, info = self._env.step(self._actions)
        self._leave()
        ended, episode = terminated | truncated, info["episode"]
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for k in np.flatnonzero(ended):
            infos[k] = {
                "terminal_observation": info["final_obs"][k],
                "TimeLimit.truncated": bool(truncated[k] and not terminated[k]),
                "episode": {"r": float(episode["r"][k]), "l": int(episode["l"][k]), "t": 0.0},
                "is_success": bool(episode["success_any"][k] > 0),
            }
        return obs, reward, ended, infos

    def close(self) -> None:
        """Close the environments."""
        self._env.close()

    def _leave(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.leave()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute that all copies share."""
        return [getattr(self._env, attr_name, None)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Not supported: copies have no attributes of their own."""
        raise AttributeError(f"copies of a task have no attribute {attr_name!r} to set")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Not supported: copies have no methods of their own."""
        raise AttributeError(f"copies of a task have no method {method_name!r} to call")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Return False: no copy is wrapped."""
        return [False] * self.num_envs
