"""The spaces of one task's own environment: observations as rows of numbers, actions within its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from envs.errors import SuiteError
from envs.spaces.bounds import Bounds
from envs.spaces.flatten import flattened, in_words, misfit
from envs.spaces.values import as_numbers
from envs.stepping.copies import check_spaces
from envs.suite import Task


@dataclass(frozen=True)
class TaskSpaces:
    """A task's own observation space, the size of a flattened observation, and the bounds of an action."""

    task: str
    obs: gym.Space[Any]
    obs_size: int
    action: Bounds

    def rows(self, obs: Any) -> tuple[np.ndarray, bool]:
        """Return one observation or a batch as rows (N, obs_size) float32, and whether it was a single one.

        An observation is as the environment returns it, or flat, (obs_size,); a batch is an (N, ...) array of flat
        ones, or of those of a ``Box``. Raises ``SuiteError`` for any other shape, and for numbers that are not finite.
        """
        rows, single = self._rows(obs)
        if not np.isfinite(rows).all():
            bad = rows[~np.isfinite(rows)][0]
            raise SuiteError(f"task {self.task!r}: the observation has {bad} in it; expected finite numbers")
        return rows, single

    def _rows(self, obs: Any) -> tuple[np.ndarray, bool]:
        has_parts = isinstance(self.obs, gym.spaces.Dict | gym.spaces.Tuple)
        if isinstance(obs, Mapping) or (isinstance(obs, tuple) and has_parts):
            return self._flat(obs)[None], True
        array = as_numbers(obs)
        if array is None:
            raise SuiteError(f"task {self.task!r}: the observation is a {type(obs).__name__}; expected numbers")
        own = self.obs.shape if isinstance(self.obs, gym.spaces.Box) else (self.obs_size,)
        shapes = ((self.obs_size,), own)
        if array.shape in shapes:  # before batches: a single observation may have the shape of a batch of flat ones
            return array.reshape(1, -1).astype(np.float32), True
        if array.shape[1:] in shapes:
            return array.reshape(len(array), self.obs_size).astype(np.float32), False
        raise SuiteError(
            f"task {self.task!r}: the observation has shape {array.shape}; expected ({self.obs_size},), or a batch "
            f"(N, {self.obs_size})"
        )

    def _flat(self, obs: Any) -> np.ndarray:
        if problem := misfit(self.obs, obs):
            raise SuiteError(f"task {self.task!r}: {problem}; give one {in_words(self.obs)}, or a batch of flat rows")
        with np.errstate(over="ignore"):  # what becomes infinite is refused
            return np.asarray(gym.spaces.flatten(self.obs, obs), dtype=np.float32)


def spaces_of(task: Task) -> TaskSpaces:
    """Make the task's environment, read its spaces and close it. Raises ``SuiteError`` if they are unsupported."""
    env = task.make_env()
    try:
        obs, action = check_spaces(task, flattened(env))
        return TaskSpaces(task.name, env.observation_space, obs.shape[0], Bounds(action))
    finally:
        env.close()
