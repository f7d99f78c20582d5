"""Meta-World in EnvPool: the same tasks in C++, several times faster, for training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from envs.errors import MissingExtra, SuiteError, warn
from envs.metaworld.differs import REWARD_DIFFERS
from envs.stepping.engine import Step
from envs.stepping.pace import processors
from envs.suite import Task

OBS_SIZE, ACTION_SIZE, HORIZON = 39, 4, 500
STATE_KEYS = ("obs", "reward", "done", "trunc", "info:success")  # the arrays that are read from a pool's C++ side


class EnvPoolEngine:
    """An ``Engine`` of one EnvPool per task, ``copies`` environments in each, all stepped at the same time.

    The observation, (n, 39) float32, is Meta-World's with the goal in its last three numbers (metres). A pool is
    seeded when it is made and then draws its own goals, from the task's whole range rather than from fifty. A reset of
    rows whose episode has ended therefore ignores the seeds, and any other reset makes new pools. Warns, once per
    process, about tasks in which EnvPool's reward differs from Meta-World's (``REWARD_DIFFERS``). Raises ``SuiteError``
    if EnvPool is not installed.
    """

    obs_size = OBS_SIZE
    action_size = ACTION_SIZE

    def __init__(self, tasks: Sequence[Task], copies: int, xp: Any = None, device: Any = None) -> None:
        self._make = _maker()
        self._names, self._copies = [task.name for task in tasks], copies
        _warn_of(tuple(name for name in self._names if name in REWARD_DIFFERS))
        self.action_mask = np.ones((len(tasks), ACTION_SIZE), dtype=bool)
        self._pools: list[Any] = []
        self._ids = np.arange(copies, dtype=np.int32)
        self._state: list[int] = []
        self._ended = np.zeros(len(tasks) * copies, dtype=bool)

    def reset(self, rows: np.ndarray, seeds: Sequence[int | None]) -> np.ndarray:
        """Begin an episode on each of ``rows``; see ``Engine.reset``. All copies of a task begin together."""
        if not self._ended[rows].all():
            return self._begin(rows, seeds)
        tasks = np.unique(rows // self._copies)
        if len(rows) != len(tasks) * self._copies:
            raise SuiteError("EnvPool's copies of a task end together, so they cannot be reset one by one")
        self._ended[rows] = False
        return np.concatenate([self._pools[task].reset()[0] for task in tasks]).astype(np.float32)

    def step(self, action: np.ndarray) -> Step:
        """Step every row; see ``Engine.step``. Nothing terminates an episode; its horizon truncates it."""
        self.send(action)
        return self.receive()

    def send(self, action: np.ndarray) -> None:
        """Start a step of every row, in EnvPool's own threads."""
        on_host = action.cpu() if hasattr(action, "cpu") else action
        own = np.clip(np.asarray(on_host, dtype=np.float32), -1.0, 1.0).reshape(len(self._pools), self._copies, -1)
        for pool, actions in zip(self._pools, own, strict=True):
            pool._send([self._ids, self._ids, actions])

    def receive(self) -> Step:
        """Wait for the step that ``send`` started.

        ``recv`` would make Gymnasium's tuple of all seventeen arrays, which takes a third of the time of the step
        itself, so the five that are needed are read from its source.
        """
        parts = [pool._recv() for pool in self._pools]
        obs, reward, ended, truncated, success = (np.concatenate([part[k] for part in parts]) for k in self._state)
        self._ended = ended
        return Step(
            obs.astype(np.float32), reward.astype(np.float32), ended & ~truncated, truncated, success.astype(np.float32)
        )

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Raise ``SuiteError``: only the official environments can be drawn."""
        raise SuiteError("EnvPool cannot render Meta-World; use --engine farama")

    def close(self) -> None:
        """Close the pools."""
        for pool in self._pools:
            pool.close()
        self._pools = []

    def _begin(self, rows: np.ndarray, seeds: Sequence[int | None]) -> np.ndarray:
        if len(rows) != len(self._names) * self._copies:
            raise SuiteError("EnvPool's environments are seeded when they are made; reset all of them together")
        self.close()
        self._ended[:] = False
        own = np.array([0 if seed is None else seed % 2**31 for seed in seeds]).reshape(len(self._names), -1)
        self._pools = [
            self._make(
                _id(name),
                num_envs=self._copies,
                num_threads=min(self._copies, processors()),
                env_seed=seed.tolist(),
                partially_observable=False,
                max_episode_steps=HORIZON,
            )
            for name, seed in zip(self._names, own, strict=True)
        ]
        self._state = [self._pools[0]._state_keys.index(name) for name in STATE_KEYS]
        return np.concatenate([pool.reset()[0] for pool in self._pools]).astype(np.float32)


@cache
def _warn_of(names: tuple[str, ...]) -> None:
    """Warn about the tasks that are not trained on Meta-World's reward."""
    if names:
        warn(f"EnvPool's reward differs from Meta-World's in {', '.join(names)}; use --engine auto")


def _maker() -> Any:
    try:
        import envpool
    except ImportError as error:
        raise MissingExtra("EnvPool is not installed: pip install -e '.[envpool]', or use --engine farama") from error
    return envpool.make_gymnasium


def _id(name: str) -> str:
    """Return a task's id in EnvPool: ``MetaWorld/PickPlace-v3`` for ``pick-place-v3``."""
    *words, version = name.split("-")
    return f"MetaWorld/{''.join(word.capitalize() for word in words)}-{version}"
