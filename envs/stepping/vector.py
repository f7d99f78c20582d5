"""T tasks x N copies as one Gymnasium vector environment."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from numbers import Integral
from typing import Any

import array_api_compat.numpy as array_numpy
import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from envs.errors import SuiteError
from envs.spaces.excess import Excess
from envs.stepping.engine import MAX_COPIES, Array, Engine, ResumableEngine
from envs.stepping.episodes import EpisodeStatistics
from envs.stepping.workers import TIMEOUT, WorkerCopies, make_copies
from envs.suite import TaskSuite


class MultiTaskVectorEnv(VectorEnv[Any, Any, Any]):
    """All tasks of a suite as one Gymnasium vector environment, with same-step autoreset.

    Its T * N rows are ordered by task: N copies of the first, then of the second. ``split`` views rows as (T, N, ...).

    Observations are (T * N, obs) float32, zero-padded to the task with the longest. Actions are (T * N, action) in
    [-1, 1], rescaled to each task's bounds; ``action_mask``, (T, action) bool, marks the dimensions that a task has.
    After every step ``info`` holds:

    - ``success`` and ``is_success``: (T * N,) float32, NaN for tasks that report none;
    - ``final_obs``: the true successor of every row. Where ``_final_obs`` is set the episode ended, and the returned
      observation is the first of the next episode;
    - ``episode``: the return ``r``, length ``l`` and ``success_any`` of each row's episode so far, complete where
      ``_episode`` is set, so Gymnasium's ``RecordEpisodeStatistics`` is not needed;
    - ``lost``: (T * N,) bool, only if an environment failed in this step: ignore the numbers of these rows. Their
      episodes are truncated and the environments restarted.

    Args:
        suite: The tasks.
        copies: N, copies of each task.
        xp: Array namespace that the suite's own simulator computes in, NumPy by default.
        device: Device of the simulator's arrays.
        render_mode: ``"rgb_array"`` to use ``render``.
        workers: Processes to step the environments in; 0 for this process, in which simulators always run.
        timeout: Seconds that a call of an environment in a worker may take.
        restart_failed: Restart an environment that fails, instead of raising; workers always do.
        on_call: Called as ``on_call(row, call)`` before each call of an environment in this process.

    Raises:
        SuiteError: An environment breaks the contract: its spaces, or what it returned.
        TaskFailed: An environment failed three times in a row.

    Example:
        >>> env = mtrl.MultiTaskVectorEnv(mtrl.make_suite("tabletop"), copies=2)
        >>> rows, _ = env.reset(seed=0)
        >>> rows, reward, terminated, truncated, info = env.step(env.action_space.sample())
        >>> env.split(reward).shape
        (10, 2)
    """

    def __init__(
        self,
        suite: TaskSuite,
        copies: int = 1,
        *,
        xp: Any = array_numpy,
        device: Any = None,
        render_mode: str | None = None,
        workers: int = 0,
        timeout: float = TIMEOUT,
        restart_failed: bool = False,
        on_call: Callable[[int, str], None] | None = None,
    ) -> None:
        if not 1 <= copies <= MAX_COPIES:
            raise SuiteError(f"copies is {copies}; it must be from 1 to {MAX_COPIES}")
        self.suite, self.copies = suite, copies
        self.num_envs = len(suite.tasks) * copies
        self._rows = [(task, copy) for task in suite.tasks for copy in range(copies)]
        self._episodes = np.zeros(self.num_envs, dtype=np.int64)  # started since the last full reset
        self._seeds = [0] * self.num_envs
        self._each_start = False
        self.render_mode = render_mode
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": ["rgb_array"]}
        self.engine: Engine
        if suite.simulator is not None:
            self.engine = suite.simulator(suite.tasks, copies, xp, device)
        else:
            self.engine = make_copies(suite.tasks, copies, render_mode, workers, timeout, restart_failed, on_call)
        self._statistics = EpisodeStatistics(self.num_envs)
        self.workers = self.engine.workers if isinstance(self.engine, WorkerCopies) else 0
        self.action_mask = self.engine.action_mask
        names = [task.name for task, _ in self._rows]
        # A simulator's arrays may be on a device; checking them would wait for it at every step.
        self._excess = None if suite.simulator else Excess(names, self.action_mask.repeat(copies, axis=0))
        self.single_observation_space = gym.spaces.Box(-np.inf, np.inf, (self.engine.obs_size,))
        self.single_action_space = gym.spaces.Box(-1.0, 1.0, (self.engine.action_size,))
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    @property
    def num_tasks(self) -> int:
        """T, the number of tasks."""
        return len(self.suite.tasks)

    @property
    def open_lengths(self) -> np.ndarray:
        """The length of each row's running episode so far, (T * copies,) int, on the host."""
        return self._statistics.lengths

    def split(self, rows: Array) -> Array:
        """View (T * copies, ...) as (T, copies, ...)."""
        return rows.reshape(self.num_tasks, self.copies, *rows.shape[1:])

    def reset(self, *, seed: int | list[int | None] | None = None, options: Any = None) -> tuple[Array, dict]:
        """Start a new episode in every row.

        Args:
            seed: The seed of all rows, from which every episode's seed is derived, together with the task's name, the
                copy and the episode's number. Or a list with the seed of each row's first episode, from which the seeds
                of its later ones are derived.
            options: ``{"each_start": True}`` makes the copies of a task with fixed starts play them in turn.

        Returns:
            Observations (T * N, obs), and an empty info.
        """
        self._each_start = bool((options or {}).get("each_start"))
        self._episodes[:] = 0
        self._statistics.reset()
        if seed is None:
            seed = _fresh_seed()
        if isinstance(seed, int | Integral):
            self._seeds = [int(seed)] * self.num_envs
            seeds = [self._next_seed(row) for row in range(self.num_envs)]
        else:
            if len(seed) != self.num_envs:
                raise SuiteError(f"{len(seed)} seeds are given for {self.num_envs} rows; give one for each, or one")
            self._seeds = [_fresh_seed() if one is None else int(one) for one in seed]
            seeds = [*self._seeds]
        return self.engine.reset(np.arange(self.num_envs), seeds), {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Step every row and reset those whose episode ended; return the five values of Gymnasium's ``step``.

        Raises ``SuiteError`` for actions of another shape than (T * N, action).
        """
        if np.shape(actions) != self.action_space.shape:
            raise SuiteError(
                f"the actions have shape {tuple(np.shape(actions))}; expected {self.action_space.shape}, a row for "
                "each copy of each task"
            )
        obs, reward, terminated, truncated, success, lost = self.engine.step(actions)
        if self._excess is not None:
            self._excess.check(actions, reward)
        ended = terminated | truncated
        on_host = np.asarray(ended.tolist())
        info = {"success": success, "is_success": success, "final_obs": obs, "_final_obs": ended}
        info |= {"episode": self._statistics.step(reward, success), "_episode": on_host}
        if len(lost):
            info["lost"] = np.isin(np.arange(self.num_envs), lost)
            info["_episode"] = on_host & ~info["lost"]
        if on_host.any():
            rows = np.flatnonzero(on_host)
            self._statistics.restart(ended)
            obs = obs + 0.0  # `info` keeps the true successors
            self._episodes[rows] += 1
            again = [row for row in lost if self._plays_each_start(row)]
            self._episodes[again] -= 1  # that start is still to be played
            obs[rows.tolist()] = self.engine.reset(rows, [self._next_seed(int(row)) for row in rows])
        return obs, reward, terminated, truncated, info

    def state_dict(self) -> dict[str, Any]:
        """Return the episodes' seeds, numbers and statistics, and the engine's state if it can be restored."""
        return {
            "seeds": [*self._seeds],
            "episodes": self._episodes.copy(),
            "each_start": self._each_start,
            "statistics": self._statistics.state_dict(),
            "engine": self.engine.state_dict() if isinstance(self.engine, ResumableEngine) else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> Array:
        """Continue from what ``state_dict`` returned; return the observations to act on.

        An engine whose state cannot be restored, such as third-party environments, starts the next episode of each row
        that is in the middle of one; ``broken_off`` counts these rows.
        """
        self._seeds, self._each_start = [*state["seeds"]], state["each_start"]
        self._episodes[:] = state["episodes"]
        if isinstance(self.engine, ResumableEngine):
            self._statistics.load_state_dict(state["statistics"])
            return self.engine.load_state_dict(state["engine"])
        self._statistics.reset()
        self._episodes += _running(state)
        return self.engine.reset(np.arange(self.num_envs), [self._next_seed(row) for row in range(self.num_envs)])

    def _next_seed(self, row: int) -> int:
        """Return the seed of the episode that ``row`` is about to begin."""
        task, copy = self._rows[row]
        episode = int(self._episodes[row])
        if self._plays_each_start(row):
            return (episode * self.copies + copy) % task.starts
        return episode_seed(self._seeds[row], task.name, copy, episode)

    def _plays_each_start(self, row: int) -> bool:
        return self._each_start and self._rows[row][0].starts > 0

    def render(self) -> tuple[np.ndarray, ...]:
        """Draw every row as an (H, W, 3) uint8 picture."""
        return tuple(self.engine.render(range(self.num_envs)))

    def close_extras(self, **kwargs: Any) -> None:
        """Close the engine."""
        self.engine.close()


def broken_off(state: dict[str, Any]) -> int:
    """Return how many running episodes cannot be resumed from what ``MultiTaskVectorEnv.state_dict`` returned."""
    return 0 if state["engine"] is not None else int(_running(state).sum())


def _running(state: dict[str, Any]) -> np.ndarray:
    """Return which rows are in the middle of an episode, (n,) bool."""
    return np.asarray(state["statistics"]["lengths"]) > 0


def episode_seed(seed: int, task_name: str, copy: int, episode: int) -> int:
    """Derive an episode's seed from the run's seed, the task's name, the copy's number and the episode's."""
    entropy = (seed, zlib.crc32(task_name.encode()), copy, episode)
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def _fresh_seed() -> int:
    """Draw a seed from the system."""
    return int(np.random.SeedSequence().generate_state(1)[0])
