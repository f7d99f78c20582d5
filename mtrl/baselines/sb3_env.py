"""One task's copies as the vector environment that Stable-Baselines3 asks for."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from envs.stepping.heartbeat import Heartbeat
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import TaskSuite


class SB3VecEnv(VecEnv):
    """A suite of one task, ``copies`` times, as a Stable-Baselines3 ``VecEnv``; ``seed`` sets its first reset.

    ``place`` is told of each call of an environment, and when there is none.
    """

    def __init__(self, suite: TaskSuite, copies: int, seed: int, place: Heartbeat | None = None) -> None:
        self._place = place
        self._env = MultiTaskVectorEnv(suite, copies, before=None if place is None else place.enter)
        self._start: int | None = seed
        space = self._env.single_observation_space
        super().__init__(copies, space, self._env.single_action_space)
        self._leave()

    def reset(self) -> np.ndarray:
        """Begin an episode in every copy."""
        obs, _ = self._env.reset(seed=self._start)
        self._start = None
        self._leave()
        return obs

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Step every copy; infos are Stable-Baselines3's: terminal_observation, TimeLimit.truncated, episode."""
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
        if self._place is not None:
            self._place.leave()

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
        """Nothing is wrapped."""
        return [False] * self.num_envs
