"""Helpers for tests of worker processes: the running processes, and what every step returned."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import psutil

from envs.stepping.vector import MultiTaskVectorEnv

SEED = 3


def children() -> list[psutil.Process]:
    """Return this process's descendants, except Python's own resource tracker, which stays as long as this process."""
    return [child for child in psutil.Process().children(recursive=True) if runs(child)]


def runs(process: psutil.Process) -> bool:
    """Return whether a process is alive and not a resource tracker."""
    try:
        return not any("resource_tracker" in word for word in process.cmdline())
    except psutil.NoSuchProcess:  # of which a zombie is one
        return False


def play(env: MultiTaskVectorEnv, steps: int) -> list[dict[str, Any]]:
    """Play random actions from a reset; return what each step returned, ``lost`` as a mask."""
    generator = np.random.default_rng(0)
    seen = [{"obs": env.reset(seed=SEED)[0]}]
    for _ in range(steps):
        action = generator.uniform(-1.0, 1.0, (env.num_envs, env.engine.action_size)).astype(np.float32)
        names = ("obs", "reward", "terminated", "truncated", "info")
        step = dict(zip(names, env.step(action), strict=True))
        info = step.pop("info")
        step |= {name: info[name] for name in ("final_obs", "success")}
        step["lost"] = info.get("lost", np.zeros(env.num_envs, dtype=bool))
        seen.append(step)
    return seen


def assert_equal(one: list[dict[str, Any]], other: list[dict[str, Any]], rows: Any = slice(None)) -> None:
    for k, (mine, theirs) in enumerate(zip(one, other, strict=True)):
        for name in theirs:
            assert np.array_equal(mine[name][rows], theirs[name][rows], equal_nan=True), (k, name)
            assert mine[name].dtype == theirs[name].dtype, name


def closed_within(env: MultiTaskVectorEnv, seconds: float) -> bool:
    begin, below = time.monotonic(), children()
    env.close()
    in_time = time.monotonic() - begin < seconds
    return in_time and not psutil.wait_procs(below, timeout=5)[1]  # what a worker started may be an orphan by now
