"""A suite's own simulator, its engines, or worker processes against what one would use without the kit."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mtrl.benchmarks.options import BenchConfig
from mtrl.benchmarks.pairs import paired, play

if TYPE_CHECKING:
    from envs.suite import TaskSuite


def bench_envs(options: BenchConfig) -> list[str]:
    """Time a suite's own simulator against Gymnasium's SyncVectorEnv over the same tasks' environments."""
    import numpy as np
    from gymnasium.vector import AutoresetMode, SyncVectorEnv

    from envs.registry import make_suite
    from envs.stepping.vector import MultiTaskVectorEnv

    suite = make_suite(options.suite, engine=options.engine)
    if suite.reference is not None:
        return bench_engines(suite, options.repeats)
    if suite.simulator is None:
        return bench_workers(suite, options.repeats)
    steps = 10
    lines = [f"{'copies':>8} {'SyncVectorEnv':>16} {'simulator':>16} {'ratio':>7}   environment steps per second"]
    for copies in (1, 5, 20):
        ours = MultiTaskVectorEnv(suite, copies)
        theirs = SyncVectorEnv(
            [task.make_env for task in suite.tasks for _ in range(copies)],
            autoreset_mode=AutoresetMode.SAME_STEP,
        )
        rows = ours.num_envs
        actions = np.random.default_rng(0).uniform(-1, 1, (rows, ours.engine.action_size)).astype(np.float32)
        for env in (ours, theirs):
            env.reset(seed=0)

        mine, other = paired([partial(play, env, actions, steps) for env in (ours, theirs)], options.repeats)
        rate = [rows * steps / seconds for seconds in (other, mine)]
        lines.append(f"{rows:>8} {rate[0]:>16,.0f} {rate[1]:>16,.0f} {other / mine:>6.1f}x")
        ours.close()
        theirs.close()
    return lines


def bench_engines(suite: TaskSuite, repeats: int) -> list[str]:
    """Time a suite's engines, with one copy of each task, against its reference vector environment."""
    import numpy as np

    from envs.stepping.vector import MultiTaskVectorEnv

    makers: dict[str, Callable[[], Any]] = {"reference": suite.reference} if suite.reference else {}
    makers["environments"] = lambda: MultiTaskVectorEnv(dataclasses.replace(suite, simulator=None))
    if suite.simulator is not None:
        makers["simulator"] = lambda: MultiTaskVectorEnv(suite)
    rows, steps, envs, creation_times = len(suite.tasks), 10, [], []
    for make in makers.values():
        start = time.perf_counter()
        envs.append(make())
        envs[-1].reset(seed=0)
        creation_times.append(time.perf_counter() - start)
    actions = np.random.default_rng(0).uniform(-1, 1, (rows, envs[-1].single_action_space.shape[0])).astype(np.float32)
    times = paired([partial(play, env, actions, steps) for env in envs], repeats)
    lines = [f"{'engine':>14} {'created + reset':>16} {'steps per second':>18} {'ratio':>7}   {rows} copies in total"]
    for name, creation, seconds in zip(makers, creation_times, times, strict=True):
        lines.append(f"{name:>14} {creation:>14.2f} s {rows * steps / seconds:>18,.0f} {times[0] / seconds:>6.1f}x")
    for env in envs:
        env.close()
    return lines


def bench_workers(suite: TaskSuite, repeats: int) -> list[str]:
    """Time a suite's environments in this process against one and two worker processes."""
    import numpy as np

    from envs.stepping.vector import MultiTaskVectorEnv

    steps, workers = 5, (0, 1, 2)
    lines = [f"{'copies':>8} {'in process':>12} {'1 worker':>12} {'2 workers':>12} {'ratio':>7}   steps per second"]
    for copies in (1, 4):
        envs = [MultiTaskVectorEnv(suite, copies, workers=count) for count in workers]
        rows = envs[0].num_envs
        actions = np.random.default_rng(0).uniform(-1, 1, (rows, envs[0].engine.action_size)).astype(np.float32)
        for env in envs:
            env.reset(seed=0)
        times = paired([partial(play, env, actions, steps) for env in envs], repeats)
        rates = "".join(f" {rows * steps / seconds:>12,.0f}" for seconds in times)
        lines.append(f"{rows:>8}{rates} {times[0] / times[2]:>6.2f}x")
        for env in envs:
            env.close()
    return lines
