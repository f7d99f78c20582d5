"""The engine for ordinary environments: one Gymnasium environment per row, in this process, with every step checked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from envs.errors import EnvFailed, SuiteError, one_line
from envs.spaces.bounds import Bounds
from envs.spaces.flatten import flattened, in_words, misfit, obstacle
from envs.spaces.values import as_numbers, kind, short
from envs.stepping.engine import Step
from envs.suite import Task
from envs.working_folder import kept_working_folder

FLOAT32_MAX = float(np.finfo(np.float32).max)
UNBOUNDED = 1e30  # larger bounds, such as the largest float32, stand for none


class GymCopies:
    """An ``Engine`` of T tasks x N copies, one environment per row, with unequal sizes padded with zeros.

    Actions in [-1, 1] are scaled exactly to each environment's own bounds. Raises ``SuiteError``, naming the task,
    if an environment breaks the contract: at construction for its spaces, at a step for what it returns.

    An exception from an environment is raised too, unless ``failed(row, message)`` is given: then that is called, the
    row is lost, and its environment is restarted at its next reset. ``on_call(row, call)`` is called before each call
    an environment, so that another process can tell which call hung.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        copies: int,
        render_mode: str | None = None,
        failed: Callable[[int, str], None] | None = None,
        on_call: Callable[[int, str], None] | None = None,
    ) -> None:
        self._kwargs = {} if render_mode is None else {"render_mode": render_mode}
        self._failed, self._on_call = failed, on_call
        self._rows: list[CheckedEnv] = []
        for task in (task for task in tasks for _ in range(copies)):
            self._announce(len(self._rows), "make")
            self._rows.append(CheckedEnv(task, task.make_env(**self._kwargs)))
        check_distinct(self._rows)
        self._open, self._broken = np.zeros(len(self._rows), dtype=bool), np.zeros(len(self._rows), dtype=bool)
        self.obs_size = max(row.obs_size for row in self._rows)
        self.action_size = max(row.action_size for row in self._rows)
        firsts = self._rows[::copies]
        self.action_mask = np.array([np.arange(self.action_size) < row.action_size for row in firsts])

    def reset(self, rows: np.ndarray, seeds: Sequence[int | None]) -> np.ndarray:
        """Reset each of ``rows``; see ``Engine.reset``."""
        obs = np.zeros((len(rows), self.obs_size), dtype=np.float32)
        for k, (index, seed) in enumerate(zip(rows, seeds, strict=True)):
            try:
                if self._broken[index]:
                    self._remake(index)
                self._announce(index, "reset")
                obs[k, : self._rows[index].obs_size] = self._rows[index].reset(seed)
                self._open[index] = True
            except EnvFailed as error:
                self._lose(index, error)
        return obs

    def step(self, action: np.ndarray) -> Step:
        """Step every row; see ``Engine.step``."""
        step, lost = Step.blank(len(self._rows), self.obs_size), []
        for k, row in enumerate(self._rows):
            if self._failed is None or self._open[k]:
                self._announce(k, "step")
                try:
                    obs, step.reward[k], step.terminated[k], step.truncated[k], step.success[k] = row.step(action[k])
                    step.obs[k, : row.obs_size] = obs
                    continue
                except EnvFailed as error:
                    self._lose(k, error)
            step.truncated[k] = True
            lost.append(k)
        return step._replace(lost=lost)

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Render each of ``rows``."""
        return [self._rows[row].render() for row in rows]

    def close(self) -> None:
        """Close every environment."""
        for k, row in enumerate(self._rows):
            self._announce(k, "close")
            row.env.close()

    def _announce(self, index: int, call: str) -> None:
        if self._on_call is not None:
            self._on_call(index, call)

    def _lose(self, index: int, error: EnvFailed) -> None:
        if self._failed is None:
            raise error
        self._open[index], self._broken[index] = False, True
        self._failed(index, error.message)

    def _remake(self, index: int) -> None:
        """Replace an environment that raised, whatever its ``close`` does."""
        self._announce(index, "make")
        old = self._rows[index]
        with contextlib.suppress(Exception):
            old.env.close()
        try:
            new = CheckedEnv(old.task, old.task.make_env(**self._kwargs))
        except SuiteError as error:
            raise EnvFailed(old.task.name, f"making its environment again failed: {one_line(error)}") from error
        if (new.obs_size, new.action_size) != (old.obs_size, old.action_size):
            raise SuiteError(f"task {old.task.name!r}: its environment has different spaces after a restart")
        self._rows[index], self._broken[index] = new, False


def check_distinct(rows: Sequence[CheckedEnv]) -> None:
    """Raise ``SuiteError`` if two rows share one environment, which both would step."""
    owners: dict[int, str] = {}
    for row in rows:
        identity = id(row.env.unwrapped)
        if identity in owners:
            raise SuiteError(
                f"task {row.task.name!r}: make() returned the environment of a copy of {owners[identity]!r} "
                "again; return a new one from every call"
            )
        owners[identity] = row.task.name


def check_spaces(task: Task, env: gym.Env[Any, Any]) -> tuple[gym.spaces.Box, gym.spaces.Box]:
    """Return the environment's observation and action space, or raise ``SuiteError`` if they are unsupported."""
    obs, action = env.observation_space, env.action_space
    supported = "supported are Box observations, alone or in a Dict or Tuple, and flat, bounded Box actions"
    if not isinstance(obs, gym.spaces.Box) or len(obs.shape) != 1:
        raise SuiteError(f"task {task.name!r}: {obstacle(obs)}; {supported}; wrap it so that it returns numbers")
    if not obs.shape[0]:
        raise SuiteError(f"task {task.name!r}: observation {in_words(obs)} has no dimensions; {supported}")
    if not isinstance(action, gym.spaces.Box) or len(action.shape) != 1:
        raise SuiteError(f"task {task.name!r}: action space {in_words(action)}; {supported}")
    if not action.shape[0]:
        raise SuiteError(f"task {task.name!r}: action space {in_words(action)} has no dimensions; {supported}")
    if not (np.abs(np.array([action.low, action.high], dtype=np.float64)) < UNBOUNDED).all():
        raise SuiteError(
            f"task {task.name!r}: action space {in_words(action)} has no finite bounds; {supported} "
            "(gymnasium.wrappers.TransformAction gives it another action_space)"
        )
    return obs, action


class CheckedEnv:
    """One environment, with checks on everything that it returns.

    ``env`` has flat observations: Gymnasium's own wrapper flattens those that consist of parts.
    """

    def __init__(self, task: Task, env: gym.Env[Any, Any]) -> None:
        self.task, self.env = task, flattened(env)
        self._own = env  # stepped, so that its parts can be checked before they are flattened
        obs, action = check_spaces(task, self.env)
        self._obs_shape = obs.shape
        self.obs_size, self.action_size = obs.shape[0], action.shape[0]
        self._bounds = Bounds(action)

    def reset(self, seed: int | None) -> np.ndarray:
        """Begin an episode; return the checked observation."""
        with kept_working_folder(self.task.name, "reset"):
            result = self._call("reset", lambda: self._own.reset(seed=seed))
        if not (isinstance(result, tuple) and len(result) == 2):
            raise self._error("reset() did not return (observation, info), as Gymnasium's API requires")
        return self._checked_obs(result[0], "reset()")

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, float]:
        """Apply an action in [-1, 1]; return observation, reward, terminated, truncated, success (or NaN)."""
        own = self._bounds.unscaled(action[: self.action_size])
        result = self._call("step", lambda: self._own.step(own))
        if not (isinstance(result, tuple) and len(result) == 5):
            raise self._error("step() did not return (observation, reward, terminated, truncated, info)")
        obs, reward, terminated, truncated, info = result
        return (
            self._checked_obs(obs, "step()"),
            self._checked_reward(reward),
            self._checked_flag(terminated, "terminated"),
            self._checked_flag(truncated, "truncated"),
            self._checked_success(info),
        )

    def render(self) -> np.ndarray:
        """Render the environment; return the checked picture, (H, W, 3) uint8."""
        picture = np.asarray(self._call("render", self.env.render))
        if picture.ndim != 3 or picture.shape[2] != 3:
            raise self._error("render() did not return an (H, W, 3) image; support render_mode='rgb_array'")
        if picture.dtype.kind not in "iu":  # numbers from 0 to 1 would all be black
            raise self._error(f"render() returned an image of dtype {picture.dtype}; return uint8, from 0 to 255")
        return picture.astype(np.uint8)

    def _call(self, what: str, function: Any) -> Any:
        try:
            return function()
        except (Exception, SystemExit) as error:  # sys.exit in an environment must not end the run
            raise EnvFailed(self.task.name, f"{what}() failed: {one_line(error)}") from error

    def _checked_obs(self, obs: Any, source: str) -> np.ndarray:
        if self.env is not self._own:
            problem = misfit(self._own.observation_space, obs)
            if problem:
                raise self._error(f"{source} returned {problem}")
            obs = self.env.observation(obs)  # type: ignore[attr-defined]
        array = as_numbers(obs)
        if array is None:
            raise self._error(f"{source} returned the observation {short(obs)}, of {kind(obs)}; expected numbers")
        if array.shape != self._obs_shape:
            raise self._error(
                f"{source} returned an observation of shape {array.shape}; its space has {self._obs_shape}"
            )
        if not np.isfinite(array).all():
            bad = int(np.flatnonzero(~np.isfinite(array))[0])
            raise self._error(
                f"{source} returned an observation with {array[bad]} at index {bad}; expected finite numbers"
            )
        return array

    def _checked_reward(self, reward: Any) -> float:
        if isinstance(reward, float) and abs(reward) <= FLOAT32_MAX:  # the usual case; NumPy's float64 is a float
            return float(np.float32(reward))
        array = as_numbers(reward)
        if array is None or array.size != 1 or not np.isfinite(array).all():
            raise self._error(f"step() returned the reward {short(reward)}; expected a finite number")
        return float(array.reshape(()))

    def _checked_flag(self, flag: Any, name: str) -> bool:
        if isinstance(flag, bool | np.bool_):  # the usual case
            return bool(flag)
        array = as_numbers(flag, "biu")
        if array is None or array.size != 1 or array.reshape(()) not in (0, 1):
            raise self._error(f"step() returned {name}={short(flag)}; expected True or False")
        return bool(array.reshape(()))

    def _checked_success(self, info: Any) -> float:
        if not isinstance(info, dict):
            raise self._error(f"step() returned the info {short(info)}; expected a dictionary")
        success = info.get("success", info.get("is_success", np.nan))
        if isinstance(success, bool | np.bool_) or (
            isinstance(success, float) and not (success < 0.0 or success > 1.0)
        ):
            return float(success)
        array = as_numbers(success, "fiub")
        if array is None or array.size != 1 or (array < 0).any() or (array > 1).any():
            raise self._error(
                f"step() returned the success {short(success)}; expected True, False or a number from 0 to 1"
            )
        return float(array.reshape(()))

    def _error(self, text: str) -> SuiteError:
        return SuiteError(f"task {self.task.name!r}: {text}")
