"""Eager updates against the same updates in a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agents.registry.compose import uncapturable
from mtrl.benchmarks.batches import batches
from mtrl.benchmarks.options import BenchConfig
from mtrl.benchmarks.pairs import paired
from mtrl.errors import UsageError

if TYPE_CHECKING:
    import torch

    from agents.base import Batch
    from agents.graph import Capture
    from envs.suite import TaskSuite
    from mtrl.rollout.tensor_env import TensorEnv

UPDATES = 16  # timed on each side


def bench_graphs(options: BenchConfig) -> list[str]:
    """Time updates including the sampling of their batches, with one and with several updates per graph.

    Raises ``UsageError`` if there is no GPU.
    """
    import torch

    if not torch.cuda.is_available():
        raise UsageError("--cudagraphs needs a GPU, and torch finds none; leave it out, or run on a machine with one")
    device = torch.device("cuda")
    return [*graph_lines(options, device), f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"]


def graph_lines(options: BenchConfig, device: torch.device, capture: Capture | None = None) -> list[str]:
    """Return a line for each number of tasks and of updates per graph; ``capture`` replaces CUDA's in tests."""
    from agents.graph import MAX_UPDATES_PER_GRAPH
    from mtrl.config import agent_spec
    from mtrl.config.defaults import default_config
    from mtrl.training.assemble import suite_of

    config = default_config(options.suite, options.agent)
    if why := uncapturable(agent_spec(options.agent), config.settings):
        raise UsageError(f"--cudagraphs is given, and {why}; give --agent care, or another that is built from pieces")
    lines = [f"{'tasks':>6} {'rows':>6} {'in a graph':>11} {'eager':>14} {'graph':>14} {'ratio':>7}   {options.agent}"]
    for case in batches(options, suite_of(config), device):
        lines += [_line(config, options, *case, count, capture) for count in (1, MAX_UPDATES_PER_GRAPH)]
    return lines


def _line(
    config: Any,
    options: BenchConfig,
    suite: TaskSuite,
    env: TensorEnv,
    batch: Batch,
    count: int,
    capture: Capture | None,
) -> str:
    from agents.base import seeded_generator
    from agents.graph import WARM_UP, GraphedUpdates
    from agents.replay import Replay
    from mtrl.training.assemble import agent_of

    plain, graphed = (agent_of(config, suite, env)[0] for _ in range(2))
    replay = Replay(env.tasks, options.rows, env.obs_size, env.action_size, seeded_generator(0, env.device))
    replay.add(batch.obs, batch.action, batch.reward, batch.terminated, batch.next_obs)
    updates = GraphedUpdates(graphed, replay, options.rows, count, capture)  # type: ignore[arg-type]
    for _ in range(WARM_UP + 1):
        updates()  # past the capture

    def eager() -> None:
        plain.update(replay.sample(options.rows))

    sides = [_repeated(eager, UPDATES, env.device), _repeated(updates, UPDATES // count, env.device)]
    slow, fast = (seconds / UPDATES for seconds in paired(sides, options.repeats))
    return f"{env.tasks:>6} {options.rows:>6} {count:>11} {1 / slow:>12.0f}/s {1 / fast:>12.0f}/s {slow / fast:>6.2f}x"


def _repeated(work: Callable[[], Any], times: int, device: torch.device) -> Callable[[], None]:
    """Return a function that does ``work`` several times and waits for the GPU."""
    import torch

    def run() -> None:
        for _ in range(times):
            work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return run
