"""An agent's update with each aggregator against its update with the mean loss."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from agents.registry.compose import pieces_of
from agents.registry.pieces import PIECES
from agents.registry.spec import RegistryError
from mtrl.benchmarks.options import BenchConfig
from mtrl.benchmarks.pairs import paired
from mtrl.errors import UsageError

if TYPE_CHECKING:
    from agents.base import Batch
    from mtrl.rollout.tensor_env import TensorEnv


def bench_aggregators(options: BenchConfig) -> list[str]:
    """Time an update of all tasks with every built-in aggregator that fits the agent, in turn, on one random batch."""
    import torch

    from mtrl.config import agent_spec
    from mtrl.config.defaults import default_config
    from mtrl.rollout.tensor_env import TensorEnv
    from mtrl.training.assemble import agent_of, suite_of, threads_of
    from mtrl.training.memory import keep_freed_memory

    spec, config = agent_spec(options.agent), default_config(options.suite, options.agent)
    if not spec.of_pieces:
        raise UsageError(f"agent {spec.name!r} is not made of pieces, so it has no aggregator; use --agent mtsac")
    torch.set_num_threads(options.threads or threads_of(config))
    keep_freed_memory()
    suite = suite_of(config)
    env = TensorEnv(suite, 1, torch.device("cpu"))
    batch, updates = random_batch(env, options.rows), {}
    for name in PIECES["aggregator"]:
        try:
            pieces_of(spec, {"aggregator": name})
        except RegistryError:
            continue  # it does not fit the agent
        with_it = default_config(options.suite, options.agent, pieces={"aggregator": name})
        updates[name] = partial(agent_of(with_it, suite, env)[0].update, batch)
    seconds = dict(zip(updates, paired([*updates.values()], options.repeats), strict=True))
    plain = seconds.get("mean", min(seconds.values()))
    return [
        f"{'aggregator':>14} {'update':>10} {'ratio':>7}   {options.agent}, {env.tasks} x {options.rows} rows",
        *(f"{name:>14} {took * 1e3:>7.1f} ms {took / plain:>6.2f}x" for name, took in seconds.items()),
        f"networks {config.settings.hidden}, {torch.get_num_threads()} threads, torch {torch.__version__}",
    ]


def random_batch(env: TensorEnv, rows: int) -> Batch:
    """Return a batch of noise with the sizes of a suite, ``rows`` of each task."""
    import torch

    from agents.base import Batch, seeded_generator

    generator = seeded_generator(0)

    def noise(*sizes: int) -> Any:
        return torch.randn(env.tasks, rows, *sizes, generator=generator)

    action = torch.tanh(noise(env.action_size)) * env.action_mask[:, None]
    return Batch(noise(env.obs_size), action, noise(), (noise() > 1.0).float(), noise(env.obs_size))
