"""Environments that fail on purpose, in a module that a worker process can import."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from functools import partial
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
    """Fails in ``call`` ("make", "reset", "step", "close") in the way ``how``, where ``pattern`` has an x.

    Each letter of the pattern is one try; the file ``log`` records each with a letter,
    since it must outlive the process. A step's try is the second step of an episode.
    """

    def __init__(self, how: str, call: str, pattern: str, log: str, length: int = 5) -> None:
        super().__init__(length)
        self.how, self.call, self.pattern, self.log = how, call, pattern, Path(log)
        self._try("make")

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        self._try("reset")
        return super().reset(seed=seed)

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if self.count == 1:
            self._try("step")
        return super().step(action)

    def close(self) -> None:
        self._try("close")

    def _try(self, call: str) -> None:
        if call != self.call:
            return
        with self.log.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # workers try at the same time; closing the file unlocks it
            tried = file.seek(0, os.SEEK_END)
            letter = self.pattern[tried : tried + 1]
            file.write(letter or ".")
        if letter == "x":
            WAYS[self.how]()


class LooksAround(Walk):
    """Observation (whether torch is imported here, process id, 0)."""

    def _obs(self) -> np.ndarray:
        return np.array([float("torch" in sys.modules), float(os.getpid()), 0.0])


class OddAfter(Walk):
    """Returns a NaN at the third step of every episode."""

    def _obs(self) -> np.ndarray:
        return np.array([np.nan if self.count == 3 else 0.0, 0.0, self.count])


def _raise() -> None:
    raise RuntimeError("out of order")


def _deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(3600)


def _locked() -> None:
    ctypes.PyDLL(None).sleep(3600)  # holds the interpreter's lock, as much native code does


def _parent_of_another() -> None:
    for _ in range(2):
        subprocess.Popen(["sleep", "3600"])
    time.sleep(3600)


def _fork_and_end() -> None:
    """Leave a process behind that keeps open whatever this one has open."""
    if os.fork():
        os._exit(5)
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
    "fork": _fork_and_end,
}


def walks(*tasks: Task) -> TaskSuite:
    """Return a suite of ``tasks`` after two that never fail."""
    return TaskSuite("walks", [Task("calm", Walk, "Walk."), Task("long", partial(Walk, 9), "Walk far."), *tasks])


def failing(how: str, call: str, pattern: str, folder: Path, length: int = 5) -> Task:
    """Return a task called bad, whose environment fails."""
    return Task("bad", partial(Failing, how, call, pattern, str(folder / "tries"), length), "Fail.")
