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

from envs.engine import Array, Engine, ResumableEngine
from envs.episodes import EpisodeStatistics
from envs.errors import SuiteError
from envs.suite import TaskSuite
from envs.workers import TIMEOUT, WorkerCopies, make_copies


class MultiTaskVectorEnv(VectorEnv[Any, Any, Any]):
    """Every task of a suite, ``copies`` times: rows ordered task by task, autoreset in the same step.

    Observations are (T * copies, obs) float32, zero-padded to the longest task's; ``split`` gives the (T, copies, ...)
    view that agents work on. Actions are (T * copies, action) in [-1, 1] and scaled to each task's bounds;
    ``action_mask``, (T, action) bool, tells which dimensions a task has. At every step ``info`` holds ``success`` and
    ``is_success`` (float32, NaN where a task does not say) and ``final_obs``, the true successor of every row, with
    the mask ``_final_obs`` of rows whose episode ended; for those the returned observation is the next episode's first.
    ``info["episode"]`` holds each row's return ``r``, length ``l`` and ``success_any`` so far, and the NumPy mask
    ``_episode`` says whose are those of a whole episode: Gymnasium's ``RecordEpisodeStatistics`` is not needed.

    ``xp`` and ``device`` choose the arrays that a suite's own simulator computes with (NumPy unless said).
    ``workers`` spreads other environments over so many processes, and ``timeout`` is how many seconds one call of
    one of them may take. There, and here where ``patient``, a row whose environment fails is survived: ``info["lost"]``
    ((T * copies,) bool, there only when a row was lost) says whose numbers mean nothing; it begins anew, truncated.
    ``before(row, call)`` is called before each call of an environment in this process.
    Raises ``SuiteError`` where a task breaks the contract, ``TaskFailed`` at the third failure of a row in a row.
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
        patient: bool = False,
        before: Callable[[int, str], None] | None = None,
    ) -> None:
        if copies < 1:
            raise SuiteError(f"copies is {copies}; a vector environment has at least 1 of each task")
        self.suite, self.copies = suite, copies
        self.num_envs = len(suite.tasks) * copies
        self._rows = [(task, copy) for task in suite.tasks for copy in range(copies)]
        self._episodes = np.zeros(self.num_envs, dtype=np.int64)  # begun since the last reset of all
        self._seeds = [0] * self.num_envs
        self._each_start = False
        self.render_mode = render_mode
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": ["rgb_array"]}
        self.engine: Engine
        if suite.simulator is not None:
            self.engine = suite.simulator(suite.tasks, copies, xp, device)
        else:
            self.engine = make_copies(suite.tasks, copies, render_mode, workers, timeout, patient, before)
        self._statistics = EpisodeStatistics(self.num_envs)
        self.workers = self.engine.workers if isinstance(self.engine, WorkerCopies) else 0
        self.action_mask = self.engine.action_mask
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
        """How many steps each row's running episode has, (T * copies,) int, on the host."""
        return self._statistics.lengths

    def split(self, rows: Array) -> Array:
        """View (T * copies, ...) as (T, copies, ...)."""
        return rows.reshape(self.num_tasks, self.copies, *rows.shape[1:])

    def reset(self, *, seed: int | list[int | None] | None = None, options: Any = None) -> tuple[Array, dict]:
        """Begin an episode everywhere.

        Every episode's seed follows from (seed, task name, copy, number of the episode) alone. A list gives each row
        the seed of its first episode, and its later ones follow from it. ``options={"each_start": True}`` makes the
        copies of a task with fixed starts go through them one by one.
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
            self._seeds = [_fresh_seed() if one is None else int(one) for one in seed]
            seeds = [*self._seeds]
        return self.engine.reset(np.arange(self.num_envs), seeds), {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Step every row, and begin the next episode where one ended."""
        obs, reward, terminated, truncated, success, lost = self.engine.step(actions)
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
        """Return the episodes' seeds, numbers and statistics, and the state of an engine that can be put back to it."""
        return {
            "seeds": [*self._seeds],
            "episodes": self._episodes.copy(),
            "each_start": self._each_start,
            "statistics": self._statistics.state_dict(),
            "engine": self.engine.state_dict() if isinstance(self.engine, ResumableEngine) else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> Array:
        """Continue from what ``state_dict`` returned -> the observations to act on.

        An engine that cannot keep its state, such as other people's environments, begins each row's next episode.
        """
        self._seeds, self._each_start = [*state["seeds"]], state["each_start"]
        self._episodes[:] = state["episodes"]
        if isinstance(self.engine, ResumableEngine):
            self._statistics.load_state_dict(state["statistics"])
            return self.engine.load_state_dict(state["engine"])
        self._statistics.reset()
        self._episodes += 1
        return self.engine.reset(np.arange(self.num_envs), [self._next_seed(row) for row in range(self.num_envs)])

    def _next_seed(self, row: int) -> int:
        """The seed of the episode that ``row`` is about to begin."""
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


def episode_seed(seed: int, task_name: str, copy: int, episode: int) -> int:
    """Derive an episode's seed from the run's seed, the task's name, the copy's number and the episode's."""
    entropy = (seed, zlib.crc32(task_name.encode()), copy, episode)
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def _fresh_seed() -> int:
    """Draw a seed from the system."""
    return int(np.random.SeedSequence().generate_state(1)[0])
