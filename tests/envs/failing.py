"""Environments that fail on purpose, in a module that a worker process can import."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from envs.suite import Task, TaskSuite


class Walk(gym.Env[np.ndarray, np.ndarray]):
    """Observation (start, sum of actions, step), ``length`` steps; success where the sum is above 0."""

    def __init__(self, length: int = 5, spin: float = 0.0) -> None:
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (3,), np.float64)
        self.action_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.length, self.spin = length, spin

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.start, self.sum, self.count = self.np_random.random(), 0.0, 0
        return self._obs(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        until = time.perf_counter() + self.spin
        while self.spin and time.perf_counter() < until:
            pass
        self.sum += float(action.sum()) + self.np_random.normal()
        self.count += 1
        over = self.count == self.length
        return self._obs(), self.sum, over and self.sum > 0, over, {"success": self.sum > 0}

    def _obs(self) -> np.ndarray:
        return np.array([self.start, self.sum, self.count])


class Failing(Walk):
    """Fails in ``call`` ("make", "reset" or "step") in the way ``how``, the first ``times`` times.

    How often it did is written down in the file ``log``, one character each, since it has to outlive the process.
    A step fails as the second of its episode.
    """

    def __init__(self, how: str, call: str, times: int, log: str, length: int = 5) -> None:
        super().__init__(length)
        self.how, self.call, self.times, self.log = how, call, times, Path(log)
        self._maybe_fail("make")

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        self._maybe_fail("reset")
        return super().reset(seed=seed)

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if self.count == 1:
            self._maybe_fail("step")
        return super().step(action)

    def close(self) -> None:
        self._maybe_fail("close")

    def _maybe_fail(self, call: str) -> None:
        if call == self.call and len(self.log.read_text() if self.log.exists() else "") < self.times:
            with self.log.open("a") as file:
                file.write("x")
            WAYS[self.how]()


def _raise() -> None:
    raise RuntimeError("out of order")


def _deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(3600)


def _locked() -> None:
    ctypes.PyDLL(None).sleep(3600)  # holds the interpreter's lock, as much native code does


def _parent_of_another() -> None:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    time.sleep(3600)


WAYS = {
    "raise": _raise,
    "sys.exit": lambda: sys.exit(3),
    "os._exit": lambda: os._exit(4),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "hang": lambda: time.sleep(3600),
    "deaf": _deaf,
    "locked": _locked,
    "brood": _parent_of_another,
}


def walks(*tasks: Task) -> TaskSuite:
    """A suite of ``tasks`` after two that never fail."""
    return TaskSuite("walks", [Task("calm", Walk, "Walk."), Task("long", long_walk, "Walk far."), *tasks])


def long_walk() -> Walk:
    return Walk(9)
