"""An agent's update with each piece of a kind against its update with its own piece."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from agents.registry.compose import SLOTS, pieces_of
from agents.registry.pieces import PIECES
from agents.registry.spec import RegistryError
from mtrl.benchmarks.batches import batches
from mtrl.benchmarks.options import BenchConfig
from mtrl.benchmarks.pairs import paired
from mtrl.errors import UsageError

if TYPE_CHECKING:
    from agents.base import Batch
    from envs.suite import TaskSuite
    from mtrl.rollout.tensor_env import TensorEnv


def bench_pieces(options: BenchConfig) -> list[str]:
    """Time an update of all tasks with every built-in piece of a kind that fits the agent, on one batch."""
    import torch

    from mtrl.config import agent_spec
    from mtrl.config.defaults import default_config
    from mtrl.training.assemble import suite_of, threads_of
    from mtrl.training.memory import keep_freed_memory

    spec, slot = agent_spec(options.agent), options.slot
    config = default_config(options.suite, options.agent)
    if not spec.of_pieces:
        raise UsageError(f"agent {spec.name!r} is not built from pieces, so it has no {slot}; use --agent mtsac")
    torch.set_num_threads(options.threads or threads_of(config))
    keep_freed_memory()
    fitting, own = [], pieces_of(spec)[slot].name
    for name in PIECES[SLOTS[slot]]:
        try:
            pieces_of(spec, {slot: name})
        except RegistryError:
            continue  # it does not fit the agent
        fitting.append(name)
    lines = [line for case in batches(options, suite_of(config)) for line in _lines(options, fitting, own, *case)]
    about = f"networks {config.settings.hidden}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    return [*lines, about]


def _lines(
    options: BenchConfig, names: list[str], own: str, suite: TaskSuite, env: TensorEnv, batch: Batch
) -> list[str]:
    """Return the table for one number of tasks."""
    from mtrl.config.defaults import default_config
    from mtrl.training.assemble import agent_of, parameter_count

    agents: dict[str, Any] = {
        name: agent_of(default_config(options.suite, options.agent, pieces={options.slot: name}), suite, env)[0]
        for name in names
    }
    seconds = paired([partial(agent.update, batch) for agent in agents.values()], options.repeats)
    took = dict(zip(agents, seconds, strict=True))
    timed = f"{options.agent}, {env.tasks} x {options.rows} rows"
    return [
        f"{options.slot:>18} {'update':>10} {'ratio':>7} {'parameters':>12}   {timed}",
        *(
            f"{name:>18} {took[name] * 1e3:>7.1f} ms {took[name] / took[own]:>6.2f}x {parameter_count(agent):>12,}"
            for name, agent in agents.items()
        ),
    ]
