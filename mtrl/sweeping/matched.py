"""Choose the plain control of each agent of a sweep by counting parameters; nothing is trained for that."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mtrl.config import TrainConfig, agent_spec
from mtrl.config.control import CONTROL, MAX_SIZE_DIFFERENCE, control_of
from mtrl.config.flags import flags_of
from mtrl.config.options import options_changing
from mtrl.errors import UsageError
from mtrl.runs.folder import agent_folder
from mtrl.sweeping.plan import Job

if TYPE_CHECKING:
    from envs.suite import TaskSuite

MAX_WIDTH = 2**13  # units of a layer


def with_controls(plan: Sequence[Job]) -> tuple[list[Job], list[str]]:
    """Return the plan with controls after each seed's agents, and a line about each agent's control.

    Agents with the same control share it, and a control that is already in the plan is not added. Agents that learn
    every task alone have none. Raises ``UsageError`` for an agent that is not built from pieces.
    """
    from mtrl.training.assemble import suite_of

    first = [job for job in plan if job.config.seed == plan[0].config.seed]
    for job in first:
        if not agent_spec(job.config.agent).of_pieces:
            raise UsageError(
                f"--size-matched is given, but agent {job.config.agent!r} is not built from pieces, so it has no plain "
                f"control in {CONTROL}; leave it out of --agents"
            )
    suite = suite_of(first[0].config)
    count, lines, controls = _counter(suite), list[str](), dict[str, TrainConfig[Any]]()
    for job in first:
        config, line = _matched(job.config, count)
        lines.append(f"{job.config.agent}: {line}")
        known = [one.config for one in first] + [*controls.values()]
        if config is not None and not any(_same_agent(config, other) for other in known):
            controls[job.folder.name] = config
    return [job for seed in _by_seed(plan) for job in (*seed, *_controls(controls, seed[0], suite))], lines


def nearest_width(size: int, size_at: Callable[[int], int]) -> int:
    """Return the width whose size, which increases with it, is nearest to ``size``; of two, the smaller."""
    low, high = 1, 2
    while size_at(high) < size and high < MAX_WIDTH:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size_at(middle) < size else (low, middle)
    return min((low, high), key=lambda width: abs(size_at(width) - size))


def _matched(config: TrainConfig[Any], count: Callable[[TrainConfig[Any]], int]) -> tuple[TrainConfig[Any] | None, str]:
    """Return an agent's control, or None, and a line about it."""
    if agent_spec(config.agent).single_task:
        return None, "learns every task alone, no control"
    size = count(config)
    width = nearest_width(size, lambda width: count(control_of(config, width)))
    control = control_of(config, width)
    if _same_agent(control, config):
        return control, "its own control"
    own = count(control)
    hidden = "x".join(map(str, control.settings.hidden))
    about = f"{CONTROL} (hidden={hidden}) with {own:,} parameters against {size:,} ({own / size - 1:+.1%})"
    if abs(own - size) > MAX_SIZE_DIFFERENCE * size:
        return None, f"no control: the nearest is {about}"
    return control, f"control: {about}"


def _counter(suite: TaskSuite) -> Callable[[TrainConfig[Any]], int]:
    """Return a function that counts the parameters of an agent on a suite, as ``result.json`` does."""
    import torch

    from mtrl.rollout.tensor_env import TensorEnv
    from mtrl.training.assemble import agent_of, parameter_count

    env = TensorEnv(suite, 1, torch.device("cpu"))
    env.close()  # only its sizes are needed
    return lambda config: parameter_count(agent_of(config, suite, env)[0])


def _same_agent(one: TrainConfig[Any], other: TrainConfig[Any]) -> bool:
    return options_changing(one, "agent") == options_changing(other, "agent")


def _by_seed(plan: Sequence[Job]) -> list[list[Job]]:
    seeds = dict.fromkeys(job.config.seed for job in plan)
    return [[job for job in plan if job.config.seed == seed] for seed in seeds]


def _controls(controls: dict[str, TrainConfig[Any]], beside: Job, suite: TaskSuite) -> list[Job]:
    """Return the jobs of the controls, keyed by the folder of each one's agent, with the seed of ``beside``."""
    from mtrl.config.arguments import parse_config

    jobs = []
    for matched, config in controls.items():
        own = dataclasses.replace(config, seed=beside.config.seed)
        words = ["--suite", own.suite, "--agent", CONTROL, "--seed", str(own.seed)]
        words += flags_of(own, ("run", "agent", "nothing"), stated=("suite", "seed", "recipe"))
        folder = agent_folder(own.runs_dir, suite.name, CONTROL)
        jobs.append(Job(tuple(words), parse_config(words), folder, matched))
    return jobs
