"""EnvPool's starts and actions, replayed step by step in Meta-World's own environments."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from metaworld import ALL_V3_ENVIRONMENTS, Task
from metaworld.policies import ENV_POLICY_MAP

from envs.metaworld.farama import draw_starts
from envs.metaworld.pool import _id, _maker

HELD = 10  # steps that a random action is held for, so that the hand gets somewhere
# Of an observation's 39 numbers: hand, opening and both objects' positions, and the goal. The previous frame is left
# out, since it may differ in a first observation, and so are orientations, except if a reward reads the first object's.
POSITIONS = np.array([*range(7), 11, 12, 13, 36, 37, 38])
ORIENTED = ("assembly-v3", "box-close-v3", "disassemble-v3", "hammer-v3")
ORIENTATION = np.arange(7, 11)
GOAL = slice(10, 13)  # of these

AGREE = 0.002  # metres: the largest difference of observations that agree
# For tasks in which EnvPool's MuJoCo differs from the first step on: a lid settles, a door swings, an object drops.
AGREE_IN = {"box-close-v3": 0.01, "door-close-v3": 0.04, "hand-insert-v3": 0.01}
# Rewards agree within the first, plus the second per metre by which observations have differed.
REWARD_TOLERANCE, REWARD_SLOPE = 0.001, 20.0
MAX_SHARE_OFF = 0.3  # of the steps with equal observations, whose rewards may differ: contacts amplify differences


class StartFinder:
    """Finds the start, as Meta-World's ``rand_vec`` has it, that a first observation shows."""

    def __init__(self, name: str) -> None:
        self.env = official(name)
        self._starts = draw_starts(self.env, name, 0)
        self._base = self._starts[0]
        low, high = (side.astype(np.float64) for side in self._bounds())
        self._low, self._high = low, high
        first = first_obs(self.env, self._base)[POSITIONS]
        self._first = first
        self._shows: dict[int, int] = {}  # which number of the observation moves with which number of the start
        for k in np.flatnonzero(high - low > 1e-6):
            moved = self._base.copy()
            moved[k] += 1e-3 if moved[k] + 1e-3 <= high[k] else -1e-3
            slope = (first_obs(self.env, moved, self._starts)[POSITIONS] - first) / (moved[k] - self._base[k])
            alike = np.flatnonzero(np.abs(slope - 1.0) < 0.02)
            if len(alike):
                self._shows[int(k)] = int(alike[-1])  # the goal comes last, and touches nothing

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """Return the start of ``obs``, (39,), inside its range. The task uses only what ``obs`` shows."""
        start, target, shown = self._base.copy(), obs[POSITIONS], self._first
        for _ in range(2):  # once more, since an object may have rolled a little
            for k, index in self._shows.items():
                start[k] = np.clip(start[k] + target[index] - shown[index], self._low[k], self._high[k])
            shown = first_obs(self.env, start, self._starts)[POSITIONS]
        return start

    def _bounds(self) -> tuple[Any, Any]:
        space = self.env._random_reset_space
        return space.low, space.high


def official(name: str) -> Any:
    """Make Meta-World's environment with the v2 reward, as it is released."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ALL_V3_ENVIRONMENTS[name](reward_function_version="v2")


def first_obs(env: Any, start: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
    """Begin an episode at ``start``; return its first observation.

    A task that rejects a start draws again for ever: it then gets ``start`` with the last three numbers of ``others``,
    a goal that some tasks draw, use to reject starts, and then ignore.
    """
    task_data = {"env_cls": type(env), "rand_vec": start.copy(), "partially_observable": False}
    env.set_task(Task("", pickle.dumps(task_data)))
    draws = iter([start, *([] if others is None else [np.r_[start[:-3], other[-3:]] for other in others])])
    taken: list[np.ndarray] = []

    def draw() -> np.ndarray:
        taken[:] = [next(draws)]
        return taken[0].copy()

    # A reset runs the task's own part twice; the second time begins with what was taken at the first.
    own = env.reset_model

    def again() -> Any:
        nonlocal draws
        draws = iter([*taken, *draws])
        return own()

    env._get_state_rand_vec, env.reset_model = draw, again
    try:
        return env.reset()[0]
    finally:
        del env._get_state_rand_vec, env.reset_model


@dataclass
class Replay:
    """Two engines side by side, (episodes, steps, rows); ``off`` is the largest difference of a position, in metres."""

    name: str
    off: np.ndarray
    goal_off: np.ndarray  # (episodes, rows), at the start
    reward: np.ndarray  # (2, episodes, steps, rows): EnvPool's, the official
    success: np.ndarray

    @property
    def together(self) -> np.ndarray:
        """The steps at which the observations have agreed since the episode's first step."""
        return np.logical_and.accumulate(self.off <= AGREE_IN.get(self.name, AGREE), axis=1)

    @property
    def reward_off(self) -> np.ndarray:
        """The difference of the rewards at steps at which the observations agree."""
        return np.abs(self.reward[0] - self.reward[1])[self.together]

    @property
    def share_off(self) -> float:
        """The share of these steps at which rewards differ by more than the observations explain."""
        off = np.maximum.accumulate(self.off, axis=1)  # so far: rewards remember how the episode began
        explained = REWARD_TOLERANCE + REWARD_SLOPE * off[self.together]
        return float((self.reward_off > explained).mean()) if self.together.any() else np.nan

    @property
    def success_off(self) -> int:
        """The number of these steps at which one engine reports success and the other does not."""
        return int((self.success[0] != self.success[1])[self.together].sum())

    @property
    def goal_differs(self) -> bool:
        """Whether EnvPool showed a goal at which no official episode can begin."""
        return bool((self.goal_off > AGREE).any())

    @property
    def reward_differs(self) -> bool:
        """Whether EnvPool's reward differs, or is for another goal."""
        return self.goal_differs or self.share_off > MAX_SHARE_OFF


def replay(name: str, rows: int, steps: int, episodes: int = 2) -> Replay:
    """Play EnvPool's task and replay it: half of the rows with random actions, half with the scripted expert's."""
    find, generator = StartFinder(name), np.random.default_rng(0)
    pool = _maker()(
        _id(name), num_envs=rows, num_threads=1, env_seed=[*range(rows)], partially_observable=False,
        max_episode_steps=steps,
    )  # fmt: skip
    envs = [official(name) for _ in range(rows)]
    shape = (episodes, steps, rows)
    found = Replay(name, np.zeros(shape), np.zeros((episodes, rows)), np.zeros((2, *shape)), np.zeros((2, *shape)))
    compared = np.append(POSITIONS, ORIENTATION) if name in ORIENTED else POSITIONS
    for episode in range(episodes):
        obs = pool.reset()[0]
        firsts = [first_obs(env, find(own), find._starts) for env, own in zip(envs, obs, strict=True)]
        found.goal_off[episode] = np.abs(obs - firsts)[:, POSITIONS[GOAL]].max(axis=1)
        experts = [ENV_POLICY_MAP[name]() for _ in range(rows)]
        for step in range(steps):
            if step % HELD == 0:
                drawn = generator.uniform(-1.0, 1.0, (rows, 4))
            action = [expert.get_action(own) for expert, own in zip(experts, obs.astype(np.float64), strict=True)]
            action = np.where((np.arange(rows) % 2 == 0)[:, None], drawn, action).clip(-1.0, 1.0).astype(np.float32)
            obs, reward, _, _, info = pool.step(action)
            theirs = [env.step(own) for env, own in zip(envs, action, strict=True)]
            found.off[episode, step] = np.abs(obs - [one[0] for one in theirs])[:, compared].max(axis=1)
            found.reward[:, episode, step] = reward, [one[1] for one in theirs]
            found.success[:, episode, step] = info["success"], [one[4]["success"] for one in theirs]
    pool.close()
    return found
