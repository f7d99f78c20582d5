"""The engine for ordinary environments: one Gymnasium environment per row, in this process, every step checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from envs.engine import Step
from envs.errors import SuiteError, one_line
from envs.suite import Task


class GymCopies:
    """An ``Engine`` of T tasks x N copies, one environment a row, unequal sizes padded with zeros.

    Actions in [-1, 1] are scaled exactly to each environment's own bounds. Raises ``SuiteError``, naming the task,
    where an environment breaks the contract: at construction for its spaces, at a step for what it returns.
    """

    def __init__(self, tasks: Sequence[Task], copies: int, render_mode: str | None = None) -> None:
        kwargs = {} if render_mode is None else {"render_mode": render_mode}
        self._rows = [CheckedEnv(task, task.make_env(**kwargs)) for task in tasks for _ in range(copies)]
        _check_own(self._rows)
        self.obs_size = max(row.obs_size for row in self._rows)
        self.action_size = max(row.action_size for row in self._rows)
        firsts = self._rows[::copies]
        self.action_mask = np.array([np.arange(self.action_size) < row.action_size for row in firsts])

    def reset(self, rows: np.ndarray, seeds: Sequence[int | None]) -> np.ndarray:
        """Reset each of ``rows``; see ``Engine.reset``."""
        obs = np.zeros((len(rows), self.obs_size), dtype=np.float32)
        for k, (index, seed) in enumerate(zip(rows, seeds, strict=True)):
            row = self._rows[index]
            obs[k, : row.obs_size] = row.reset(seed)
        return obs

    def step(self, action: np.ndarray) -> Step:
        """Step every row; see ``Engine.step``."""
        n = len(self._rows)
        step = Step(
            np.zeros((n, self.obs_size), dtype=np.float32),
            np.zeros(n, dtype=np.float32),
            np.zeros(n, dtype=bool),
            np.zeros(n, dtype=bool),
            np.full(n, np.nan, dtype=np.float32),
        )
        for k, row in enumerate(self._rows):
            obs, step.reward[k], step.terminated[k], step.truncated[k], step.success[k] = row.step(action[k])
            step.obs[k, : row.obs_size] = obs
        return step

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Let each of ``rows`` draw itself."""
        return [self._rows[row].render() for row in rows]

    def close(self) -> None:
        """Close every environment."""
        for row in self._rows:
            row.env.close()


def _check_own(rows: Sequence[CheckedEnv]) -> None:
    """Raise ``SuiteError`` where two rows share one environment, whose state they would both step."""
    owners: dict[int, str] = {}
    for row in rows:
        identity = id(row.env.unwrapped)
        if identity in owners:
            raise SuiteError(
                f"task {row.task.name!r}: make() returned an environment that a copy of {owners[identity]!r} has "
                "already; make a new one at every call"
            )
        owners[identity] = row.task.name


def check_spaces(task: Task, env: gym.Env[Any, Any]) -> tuple[gym.spaces.Box, gym.spaces.Box]:
    """Return the environment's observation and action space, or raise ``SuiteError`` where they are unsupported."""
    obs, action = env.observation_space, env.action_space
    supported = "supported are flat Box observations and bounded Box actions"
    if not isinstance(obs, gym.spaces.Box) or len(obs.shape) != 1:
        raise SuiteError(
            f"task {task.name!r}: observation space {_words(obs)}; {supported} (wrap it in FlattenObservation)"
        )
    if not isinstance(action, gym.spaces.Box) or len(action.shape) != 1:
        raise SuiteError(f"task {task.name!r}: action space {_words(action)}; {supported}")
    if not (np.isfinite(action.low).all() and np.isfinite(action.high).all()):
        raise SuiteError(
            f"task {task.name!r}: action space {_words(action)} has no finite bounds; {supported} "
            "(wrap it in ClipAction and give bounds)"
        )
    return obs, action


def _words(space: gym.Space[Any]) -> str:
    return f"{type(space).__name__} of shape {space.shape}" if isinstance(space, gym.spaces.Box) else str(space)[:80]


class CheckedEnv:
    """One environment, and the checks on everything that comes out of it."""

    def __init__(self, task: Task, env: gym.Env[Any, Any]) -> None:
        self.task, self.env = task, env
        obs, action = check_spaces(task, env)
        self._obs_shape = obs.shape
        self.obs_size, self.action_size = obs.shape[0], action.shape[0]
        self._low, self._high, self._dtype = action.low.astype(np.float64), action.high.astype(np.float64), action.dtype
        self._half_range = (self._high - self._low) / 2.0

    def reset(self, seed: int | None) -> np.ndarray:
        """Begin an episode -> observation, checked."""
        result = self._call("reset", lambda: self.env.reset(seed=seed))
        if not (isinstance(result, tuple) and len(result) == 2):
            raise self._error("reset() returned no (observation, info) pair; Gymnasium's API is asked for")
        return self._checked_obs(result[0], "reset()")

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, float]:
        """Apply an action in [-1, 1] -> observation, reward, terminated, truncated, success (NaN: not said)."""
        own = self._low + self._half_range * (1.0 + np.clip(action[: self.action_size], -1.0, 1.0))
        own = np.clip(own, self._low, self._high)  # rounding may have put it a hair outside
        result = self._call("step", lambda: self.env.step(own.astype(self._dtype)))
        if not (isinstance(result, tuple) and len(result) == 5):
            raise self._error("step() returned no (observation, reward, terminated, truncated, info)")
        obs, reward, terminated, truncated, info = result
        return (
            self._checked_obs(obs, "step()"),
            self._checked_reward(reward),
            self._checked_flag(terminated, "terminated"),
            self._checked_flag(truncated, "truncated"),
            self._checked_success(info),
        )

    def render(self) -> np.ndarray:
        """Let the environment draw itself -> (H, W, 3) uint8, checked."""
        picture = np.asarray(self._call("render", self.env.render))
        if picture.ndim != 3 or picture.shape[2] != 3:
            raise self._error("render() gave no (H, W, 3) picture; render_mode='rgb_array' is asked for")
        return picture.astype(np.uint8)

    def _call(self, what: str, function: Any) -> Any:
        try:
            return function()
        except Exception as error:
            raise self._error(f"{what}() failed: {one_line(error)}") from error

    def _checked_obs(self, obs: Any, source: str) -> np.ndarray:
        array = _as_numbers(obs)
        if array is None:
            raise self._error(f"{source} gave the observation {_short(obs)}, of {_kind(obs)}; numbers are asked for")
        if array.shape != self._obs_shape:
            raise self._error(f"{source} gave an observation of shape {array.shape}; its space says {self._obs_shape}")
        if not np.isfinite(array).all():
            bad = int(np.flatnonzero(~np.isfinite(array))[0])
            raise self._error(f"{source} gave an observation with {array[bad]} at index {bad}; finite numbers only")
        return array

    def _checked_reward(self, reward: Any) -> float:
        array = _as_numbers(reward)
        if array is None or array.size != 1 or not np.isfinite(array).all():
            raise self._error(f"step() gave the reward {_short(reward)}; a finite number is asked for")
        return float(array.reshape(()))

    def _checked_flag(self, flag: Any, name: str) -> bool:
        if not isinstance(flag, bool | int | np.bool_ | np.integer) or flag not in (0, 1):
            raise self._error(f"step() gave {name}={_short(flag)}; True or False is asked for")
        return bool(flag)

    def _checked_success(self, info: Any) -> float:
        if not isinstance(info, dict):
            raise self._error(f"step() gave the info {_short(info)}; a dictionary is asked for")
        said = info.get("success", info.get("is_success", np.nan))
        array = np.asarray(said) if isinstance(said, bool | np.bool_) else _as_numbers(said)
        if array is None or array.size != 1:
            raise self._error(f"step() gave the success {_short(said)}; True, False or a number is asked for")
        return float(array.reshape(()))

    def _error(self, text: str) -> SuiteError:
        return SuiteError(f"task {self.task.name!r}: {text}")


def _as_numbers(values: Any) -> np.ndarray | None:
    """Return numbers as float32, what is too large for it as infinite; None where they are no plain numbers."""
    try:
        array = np.asarray(values)
    except ValueError:  # ragged
        return None
    if array.dtype.kind not in "fiu":
        return None
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _short(value: Any) -> str:
    return " ".join(repr(value).split())[:80]


def _kind(value: Any) -> str:
    return f"dtype {value.dtype}" if isinstance(value, np.ndarray) else f"type {type(value).__name__}"
