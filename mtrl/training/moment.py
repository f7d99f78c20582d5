"""What callbacks see of a training."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mtrl.rollout.tensor_env import Transition
from mtrl.training.schedule import Span


@dataclass(frozen=True)
class Moment:
    """What callbacks see after a step of every copy of every task and the updates that followed it."""

    span: Span
    env_steps: int  # over all tasks
    updates: int
    learned: bool  # whether updates followed this step
    metrics: dict[str, Tensor]  # of the latest update, on the device
    transition: Transition
