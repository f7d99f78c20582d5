"""How long a step takes, and therefore how many processes should step environments."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Sequence

import numpy as np

from envs.errors import EnvFailed
from envs.stepping.copies import CheckedEnv
from envs.suite import Task, TaskSuite

MAX_SECONDS = 0.3  # for the measurement, unless one environment takes longer to make
MAX_STEPS = 10  # of each task
HANDOVER_SECONDS = 200e-6  # cost of a step per process, whatever the process does (python -m mtrl.bench envs)
MAX_SHARE = 0.8  # of the time in this process that processes may take to be used


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def suggest_workers(suite: TaskSuite, copies: int, most: int) -> int:
    """Return the number of worker processes to step ``copies`` of every task with: 0 if this process is as fast.

    A suite with a simulator has no environments to spread. Raises ``SuiteError`` if one breaks the contract.
    """
    if suite.simulator is not None or most < 2:
        return 0
    try:
        return best_workers(len(suite.tasks) * copies, step_seconds(suite.tasks), most)
    except EnvFailed:
        return 0  # the run itself handles failures


def best_workers(rows: int, seconds: float, most: int) -> int:
    """Return the number of processes that step ``rows``, of so many seconds each, fastest; 0 for this process."""

    def step(workers: int) -> float:
        return math.ceil(rows / workers) * seconds + workers * HANDOVER_SECONDS

    best = min(range(1, min(rows, most) + 1), key=step)
    return best if best > 1 and step(best) < MAX_SHARE * rows * seconds else 0


def step_seconds(tasks: Sequence[Task]) -> float:
    """Return the mean seconds of a step, timed in one environment per task, of as many tasks as the time allows."""
    end = time.perf_counter() + MAX_SECONDS
    medians = []
    for task in tasks:
        env = CheckedEnv(task, task.make_env())
        times = _time_steps(env, end)
        env.env.close()
        medians.append(statistics.median(times))
        if time.perf_counter() > end:
            break
    return statistics.mean(medians)


def _time_steps(env: CheckedEnv, end: float) -> list[float]:
    """Return the seconds of each step: at least one step, at most one episode."""
    action, times = np.zeros(env.action_size, dtype=np.float32), []
    env.reset(0)
    for _ in range(MAX_STEPS):
        begin = time.perf_counter()
        _, _, terminated, truncated, _ = env.step(action)
        now = time.perf_counter()
        times.append(now - begin)
        if terminated or truncated or now > end:
            break
    return times
