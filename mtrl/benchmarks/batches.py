"""Batches of noise for some of a suite's tasks, which updates are timed on."""

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
    """Yield, for each number of tasks that is asked for, the suite's first ones, environments of them, and a batch.

    Both are on ``device``, unless given the CPU. Raises ``UsageError`` where the suite has fewer.
    """
    import torch

    from mtrl.rollout.tensor_env import TensorEnv

    names = suite.task_names
    counts = options.task_counts or (len(names),)
    if max(counts) > len(names):
        raise UsageError(
            f"--task-counts is {' '.join(map(str, counts))}, and suite {suite.name!r} has {len(names)} tasks; give at "
            "most so many, or a suite with more, as in --suite tabletop-50"
        )
    for count in counts:
        some = suite.only(names[:count])
        with closing(TensorEnv(some, 1, device or torch.device("cpu"))) as env:
            yield some, env, random_batch(env, options.rows)


def random_batch(env: TensorEnv, rows: int) -> Batch:
    """Return a batch of noise with the sizes of a suite, ``rows`` of each task."""
    import torch

    from agents.base import Batch, seeded_generator

    generator = seeded_generator(0)

    def noise(*sizes: int) -> Any:
        return torch.randn(env.tasks, rows, *sizes, generator=generator).to(env.device)

    action = torch.tanh(noise(env.action_size)) * env.action_mask[:, None].to(env.device)
    return Batch(noise(env.obs_size), action, noise(), (noise() > 1.0).float(), noise(env.obs_size))
