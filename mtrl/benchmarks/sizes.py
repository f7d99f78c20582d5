"""Every agent's update against that of a plain network of the same size."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from agents.registry.presets import PRESETS
from mtrl.benchmarks.batches import batches
from mtrl.benchmarks.options import BenchConfig
from mtrl.benchmarks.pairs import paired

if TYPE_CHECKING:
    from agents.base import Batch
    from envs.suite import TaskSuite
    from mtrl.rollout.tensor_env import TensorEnv


def bench_sizes(options: BenchConfig) -> list[str]:
    """Time an update of every built-in agent against that of a control whose width matches the agent's size."""
    import torch

    from mtrl.config.control import CONTROL
    from mtrl.config.defaults import default_config
    from mtrl.training.assemble import suite_of, threads_of
    from mtrl.training.memory import keep_freed_memory

    plain = default_config(options.suite, CONTROL)
    torch.set_num_threads(options.threads or threads_of(plain))
    keep_freed_memory()
    agents = [name for name, preset in PRESETS.items() if preset.of_pieces]
    lines = []
    for suite, env, batch in batches(options, suite_of(plain)):
        timed = f"{env.tasks} x {options.rows} rows"
        lines.append(f"{'agent':>14} {'update':>10} {CONTROL:>10} {'ratio':>7} {'parameters':>12}   {timed}")
        lines += [_line(default_config(options.suite, agent), options, suite, env, batch) for agent in agents]
    about = f"networks {plain.settings.hidden}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    return [*lines, f"the width of {CONTROL} matches each agent's number of parameters; {about}"]


def _line(config: Any, options: BenchConfig, suite: TaskSuite, env: TensorEnv, batch: Batch) -> str:
    """Return an agent's line of the table."""
    from mtrl.config.control import control_of
    from mtrl.sweeping.matched import nearest_width
    from mtrl.training.assemble import agent_of, parameter_count

    def plain(width: int) -> Any:
        return agent_of(control_of(config, width), suite, env)[0]

    agent: Any = agent_of(config, suite, env)[0]
    size = parameter_count(agent)
    width = nearest_width(size, lambda width: parameter_count(plain(width)))
    control = plain(width)
    mine, other = paired([partial(side.update, batch) for side in (agent, control)], options.repeats)
    hidden = "x".join([str(width)] * len(config.settings.hidden))
    return (
        f"{config.agent:>14} {mine * 1e3:>7.1f} ms {other * 1e3:>7.1f} ms {mine / other:>6.2f}x {size:>12,}   "
        f"{parameter_count(control):,} with {hidden}"
    )
