"""Random batches for the first tasks of a suite, used to time updates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from mtrl.benchmarks.options import BenchConfig
from mtrl.errors import UsageError

if TYPE_CHECKING:
    import torch

    from agents.base import Batch
    from envs.suite import TaskSuite
    from mtrl.rollout.tensor_env import TensorEnv


def batches(
    options: BenchConfig, suite: TaskSuite, device: torch.device | None = None
) -> Iterator[tuple[TaskSuite, TensorEnv, Batch]]:
    """Yield, for each requested number of tasks, a suite of the first ones, their environments and a batch.

    Both are on ``device``, by default the CPU. Raises ``UsageError`` if the suite has fewer tasks.
    """
    import torch

    from mtrl.rollout.tensor_env import TensorEnv

    names = suite.task_names
    counts = options.task_counts or (len(names),)
    if max(counts) > len(names):
        raise UsageError(
            f"--task-counts is {' '.join(map(str, counts))}, but suite {suite.name!r} has {len(names)} tasks; give at "
            f"most {len(names)}, or a larger suite, as in --suite tabletop-50"
        )
    for count in counts:
        some = suite.only(names[:count])
        with closing(TensorEnv(some, 1, device or torch.device("cpu"))) as env:
            yield some, env, random_batch(env, options.rows)


def random_batch(env: TensorEnv, rows: int) -> Batch:
    """Return a random batch with the sizes of a suite and ``rows`` rows per task."""
    import torch

    from agents.base import Batch, seeded_generator

    generator = seeded_generator(0)

    def noise(*sizes: int) -> Any:
        return torch.randn(env.tasks, rows, *sizes, generator=generator).to(env.device)

    action = torch.tanh(noise(env.action_size)) * env.action_mask[:, None].to(env.device)
    return Batch(noise(env.obs_size), action, noise(), (noise() > 1.0).float(), noise(env.obs_size))
