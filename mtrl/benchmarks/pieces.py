"""An agent's update with each piece of a kind against its update with the one that it has."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from agents.registry.compose import SLOTS, pieces_of
from agents.registry.pieces import PIECES
from agents.registry.spec import RegistryError
from mtrl.benchmarks.options import BenchConfig
from mtrl.benchmarks.pairs import paired
from mtrl.errors import UsageError

if TYPE_CHECKING:
    from agents.base import Batch
    from mtrl.rollout.tensor_env import TensorEnv


def bench_pieces(options: BenchConfig) -> list[str]:
    """Time an update of all tasks with every built-in piece of a kind that fits the agent, in turn, on one batch."""
    import torch

    from mtrl.config import agent_spec
    from mtrl.config.defaults import default_config
    from mtrl.rollout.tensor_env import TensorEnv
    from mtrl.training.assemble import agent_of, parameter_count, suite_of, threads_of
    from mtrl.training.memory import keep_freed_memory

    spec, slot = agent_spec(options.agent), options.slot
    config = default_config(options.suite, options.agent)
    if not spec.of_pieces:
        raise UsageError(f"agent {spec.name!r} is not made of pieces, so it has no {slot}; use --agent mtsac")
    torch.set_num_threads(options.threads or threads_of(config))
    keep_freed_memory()
    suite = suite_of(config)
    env = TensorEnv(suite, 1, torch.device("cpu"))
    batch, updates, sizes = random_batch(env, options.rows), {}, {}
    for name in PIECES[SLOTS[slot]]:
        try:
            pieces_of(spec, {slot: name})
        except RegistryError:
            continue  # it does not fit the agent
        with_it = default_config(options.suite, options.agent, pieces={slot: name})
        agent = agent_of(with_it, suite, env)[0]
        updates[name] = partial(agent.update, batch)
        sizes[name] = parameter_count(agent)
    seconds = dict(zip(updates, paired([*updates.values()], options.repeats), strict=True))
    plain = seconds[pieces_of(spec)[slot].name]
    timed = f"{options.agent}, {env.tasks} x {options.rows} rows"
    return [
        f"{slot:>18} {'update':>10} {'ratio':>7} {'parameters':>12}   {timed}",
        *(f"{one:>18} {took * 1e3:>7.1f} ms {took / plain:>6.2f}x {sizes[one]:>12,}" for one, took in seconds.items()),
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
