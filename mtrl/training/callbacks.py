"""What a user's own code is told of a training, and how it ends one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mtrl.training.schedule import Counts, Rule, Scheduled, multiples_of


@dataclass(frozen=True)
class TrainingStatus:
    """Where a training is.

    ``step`` counts environment steps per task, ``env_steps`` those of all tasks. ``evaluation`` holds the means over
    tasks of the latest evaluation, ``success_any``, ``success_last`` (None where no task says success) and ``return``;
    it is empty before the first.
    """

    step: int
    env_steps: int
    updates: int
    evaluation: Mapping[str, float | None] = field(default_factory=dict)


Callback = Callable[[TrainingStatus], bool | None]


class ScheduledCallback(NamedTuple):
    """A callback of the user's with an interval of its own."""

    callback: Callback
    due: Rule


def every(steps: int, callback: Callback) -> ScheduledCallback:
    """Have a callback called every ``steps`` environment steps per task, and at the end.

    Args:
        steps: At least 1. As many copies of each task are stepped together, a call comes at the first step past it.
        callback: Called with a ``TrainingStatus``; training ends once it returns False.

    Returns:
        What ``mtrl.learn`` takes among its ``callbacks``.

    Raises:
        ValueError: ``steps`` is less than 1.

    Example:
        >>> heard = []
        >>> callbacks = [mtrl.every(5_000, heard.append)]
        >>> result = mtrl.learn("tabletop", "mtsac", steps_per_task=20_000, callbacks=callbacks)
        >>> heard[-1].step == result.step
        True
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; it has to be at least 1")
    return ScheduledCallback(callback, multiples_of(steps, at_end=True))


class UserCallbacks:
    """The callbacks of a training's caller, and the latest evaluation, which they are told of."""

    def __init__(self, callbacks: Sequence[Callback | ScheduledCallback]) -> None:
        self._callbacks = callbacks
        self._evaluation: Mapping[str, float | None] = {}

    def evaluated(self, means: Mapping[str, float | None]) -> None:
        """Take note of an evaluation's means over tasks."""
        self._evaluation = dict(means)

    def state_dict(self) -> dict[str, Any]:
        """Return the latest evaluation."""
        return {"evaluation": dict(self._evaluation)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what ``state_dict`` returned."""
        self._evaluation = state["evaluation"]

    def scheduled(self, otherwise: Rule) -> list[Scheduled]:
        """Return them as a training calls them; those without an interval of their own by ``otherwise``."""
        given = [c if isinstance(c, ScheduledCallback) else ScheduledCallback(c, otherwise) for c in self._callbacks]
        return [Scheduled(self._telling(callback), due) for callback, due in given]

    def _telling(self, callback: Callback) -> Callable[[Counts], bool | None]:
        return lambda now: callback(TrainingStatus(now.span.step, now.env_steps, now.updates, self._evaluation))
