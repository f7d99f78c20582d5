"""Measure speed, always as ratios of pairs timed in turn in one process: ``python -m mtrl.bench envs|agents``."""

from __future__ import annotations

import dataclasses
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from mtrl.cli import UsageError, command, parse

if TYPE_CHECKING:
    from envs.suite import TaskSuite


@dataclass(frozen=True)
class BenchConfig:
    """Time a suite's environments or agents against what you would use without this kit."""

    what: Annotated[Literal["envs", "agents"], tyro.conf.Positional]
    """envs: a batched simulator against SyncVectorEnv, engines against the suite's own vector environment, or workers.
    agents: one run of an agent against one Stable-Baselines3 SAC per task, same networks and batch size per task."""
    suite: str = "tabletop"
    """Suite to time."""
    engine: str = "auto"
    """For envs: simulator, where a suite has several: metaworld has farama, envpool and auto."""
    agent: str = "care"
    """For agents: agent to time."""
    repeats: int = 20
    """Number of timed repetitions of each side; their medians are compared."""
    threads: int = 0
    """PyTorch's CPU threads on both sides; 0: all available processors, at most 4."""


def main(arguments: Sequence[str]) -> int:
    """Parse, measure and print."""
    options: BenchConfig = parse(BenchConfig, "mtrl.bench", arguments)
    if options.repeats < 1:
        raise UsageError(f"--repeats is {options.repeats}; it has to be at least 1")
    lines = bench_envs(options) if options.what == "envs" else bench_agents(options)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def paired(sides: Sequence[Callable[[], Any]], repeats: int) -> list[float]:
    """Run the sides in turn, ``repeats`` times after one warm-up -> each side's median seconds."""
    for side in sides:
        side()
    times: list[list[float]] = [[] for _ in sides]
    for _ in range(repeats):
        for side, own in zip(sides, times, strict=True):
            begin = time.perf_counter()
            side()
            own.append(time.perf_counter() - begin)
    return [statistics.median(own) for own in times]


def bench_envs(options: BenchConfig) -> list[str]:
    """Time a suite's own simulator against Gymnasium's SyncVectorEnv over the same tasks' environments."""
    import numpy as np
    from gymnasium.vector import AutoresetMode, SyncVectorEnv

    from envs.registry import make_suite
    from envs.vector import MultiTaskVectorEnv

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

        mine, other = paired([partial(_play, env, actions, steps) for env in (ours, theirs)], options.repeats)
        rate = [rows * steps / seconds for seconds in (other, mine)]
        lines.append(f"{rows:>8} {rate[0]:>16,.0f} {rate[1]:>16,.0f} {other / mine:>6.1f}x")
        ours.close()
        theirs.close()
    return lines


def bench_engines(suite: TaskSuite, repeats: int) -> list[str]:
    """Time a suite's engines, a copy of each task, against the vector environment that its users know."""
    import numpy as np

    from envs.vector import MultiTaskVectorEnv

    makers: dict[str, Callable[[], Any]] = {"reference": suite.reference} if suite.reference else {}
    makers["environments"] = lambda: MultiTaskVectorEnv(dataclasses.replace(suite, simulator=None))
    if suite.simulator is not None:
        makers["simulator"] = lambda: MultiTaskVectorEnv(suite)
    rows, steps, envs, created = len(suite.tasks), 10, [], []
    for make in makers.values():
        begin = time.perf_counter()
        envs.append(make())
        envs[-1].reset(seed=0)
        created.append(time.perf_counter() - begin)
    actions = np.random.default_rng(0).uniform(-1, 1, (rows, envs[-1].single_action_space.shape[0])).astype(np.float32)
    times = paired([partial(_play, env, actions, steps) for env in envs], repeats)
    lines = [f"{'engine':>14} {'made and reset':>16} {'steps per second':>18} {'ratio':>7}   {rows} copies in all"]
    for name, making, seconds in zip(makers, created, times, strict=True):
        lines.append(f"{name:>14} {making:>14.2f} s {rows * steps / seconds:>18,.0f} {times[0] / seconds:>6.1f}x")
    for env in envs:
        env.close()
    return lines


def bench_workers(suite: TaskSuite, repeats: int) -> list[str]:
    """Time a suite's environments in this process against one and two worker processes."""
    import numpy as np

    from envs.vector import MultiTaskVectorEnv

    steps, workers = 5, (0, 1, 2)
    lines = [f"{'copies':>8} {'in process':>12} {'1 worker':>12} {'2 workers':>12} {'ratio':>7}   steps per second"]
    for copies in (1, 4):
        envs = [MultiTaskVectorEnv(suite, copies, workers=count) for count in workers]
        rows = envs[0].num_envs
        actions = np.random.default_rng(0).uniform(-1, 1, (rows, envs[0].engine.action_size)).astype(np.float32)
        for env in envs:
            env.reset(seed=0)
        times = paired([partial(_play, env, actions, steps) for env in envs], repeats)
        rates = "".join(f" {rows * steps / seconds:>12,.0f}" for seconds in times)
        lines.append(f"{rows:>8}{rates} {times[0] / times[2]:>6.2f}x")
        for env in envs:
            env.close()
    return lines


def _play(env: Any, actions: Any, steps: int) -> None:
    for _ in range(steps):
        env.step(actions)


def bench_agents(options: BenchConfig) -> list[str]:
    """Time one vector step of all tasks, update included: the agent's against one SAC of Stable-Baselines3 per task."""
    import torch

    from agents.base import seeded_generator
    from agents.replay import Replay
    from mtrl.assemble import agent_of, in_precision, precision_of, suite_of, threads_of
    from mtrl.defaults import default_config
    from mtrl.memory import keep_freed_memory
    from mtrl.sb3_env import SB3VecEnv
    from mtrl.sb3_model import make_model
    from mtrl.tensor_env import TensorEnv

    config = default_config(options.suite, options.agent)
    other = dataclasses.replace(default_config(options.suite, "sb3"), random_steps=config.batch_per_task)
    suite, steps = suite_of(config), 5
    torch.set_num_threads(options.threads or threads_of(config))
    env = TensorEnv(suite, config.envs_per_task, torch.device("cpu"))
    precision = precision_of(config, env.tasks, env.device)
    agent, _ = agent_of(in_precision(config, precision), suite, env)
    replay = Replay(env.tasks, 10_000, env.obs_size, env.action_size, seeded_generator(0))
    state = {"obs": env.reset(0)}

    def mine() -> None:
        for _ in range(steps):
            obs = state["obs"]
            action = agent.act(obs, explore=True)
            step = env.step(action)
            replay.add(obs, action, step.reward, step.terminated, step.final_obs)
            state["obs"] = step.obs
            for _ in range(config.updates_per_step):
                agent.update(replay.sample(config.batch_per_task))

    models = [make_model(other, SB3VecEnv(suite.only([name]), other.envs_per_task, 0), 0) for name in suite.task_names]
    for model in models:
        model.learn(other.random_steps + 2 * other.envs_per_task)  # past the random steps, into learning

    def theirs() -> None:
        for model in models:
            model.learn(steps * other.envs_per_task, reset_num_timesteps=False)

    lines = []
    for name, prepare in (
        ("as the system's malloc is", lambda: None),
        ("freed memory kept", keep_freed_memory),
    ):
        prepare()
        own, reference = (seconds / steps for seconds in paired([mine, theirs], options.repeats))
        lines.append(
            f"{name}: {options.agent} {own * 1e3:.1f} ms, {env.tasks} x SB3 {reference * 1e3:.1f} ms per step of "
            f"{config.envs_per_task} copies of {env.tasks} tasks and its update: {reference / own:.2f}x"
        )
    lines.append(
        f"networks {config.settings.hidden}, {config.batch_per_task} rows per task, {torch.get_num_threads()} threads, "
        f"precision {precision.taken}, "
        f"torch {torch.__version__}"
    )
    return lines


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
