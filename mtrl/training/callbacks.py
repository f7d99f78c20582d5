"""The user's callbacks: what they are called with, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mtrl.training.schedule import Counts, Rule, Scheduled, multiples_of


@dataclass(frozen=True)
class TrainingStatus:
    """The progress of a training run, as callbacks receive it.

    Args:
        step: Environment steps per task so far.
        env_steps: Environment steps in all tasks together.
        updates: Gradient updates so far.
        evaluation: Means over tasks of the latest evaluation: ``success_any``, ``success_last`` (None if no task
            reports success) and ``return``; empty before the first evaluation.

    Example:
        >>> def stop_when_solved(status: mtrl.TrainingStatus) -> bool:
        ...     return (status.evaluation.get("success_any") or 0.0) < 0.95
        >>> stop_when_solved(mtrl.TrainingStatus(20_000, 200_000, 2_000, {"success_any": 0.97}))
        False
    """

    step: int
    env_steps: int
    updates: int
    evaluation: Mapping[str, float | None] = field(default_factory=dict)


Callback = Callable[[TrainingStatus], bool | None]


class ScheduledCallback(NamedTuple):
    """A callback with its own interval."""

    callback: Callback
    due: Rule


def every(steps: int, callback: Callback) -> ScheduledCallback:
    """Call a callback every ``steps`` environment steps per task, and at the end.

    Args:
        steps: The interval, at least 1. Several copies of a task are stepped at once, so a call comes with the first
            step at or past a multiple of it.
        callback: Called with a ``TrainingStatus``; training ends when it returns False.

    Returns:
        A callback for ``mtrl.learn``.

    Raises:
        ValueError: ``steps`` is less than 1.

    Example:
        >>> history = []
        >>> callbacks = [mtrl.every(5_000, history.append)]
        >>> result = mtrl.learn("tabletop", "mtsac", steps_per_task=20_000, callbacks=callbacks)
        >>> history[-1].step == result.step
        True
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; it must be at least 1")
    return ScheduledCallback(callback, multiples_of(steps, at_end=True))


class UserCallbacks:
    """The user's callbacks and the latest evaluation, which is passed to them."""

    def __init__(self, callbacks: Sequence[Callback | ScheduledCallback]) -> None:
        self._callbacks = callbacks
        self._evaluation: Mapping[str, float | None] = {}

    def evaluated(self, means: Mapping[str, float | None]) -> None:
        """Keep the means over tasks of the latest evaluation."""
        self._evaluation = dict(means)

    def state_dict(self) -> dict[str, Any]:
        """Return the latest evaluation."""
        return {"evaluation": dict(self._evaluation)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what ``state_dict`` returned."""
        self._evaluation = state["evaluation"]

    def scheduled(self, otherwise: Rule) -> list[Scheduled]:
        """Return the callbacks with their schedules; ``otherwise`` is for those without their own."""
        given = [c if isinstance(c, ScheduledCallback) else ScheduledCallback(c, otherwise) for c in self._callbacks]
        return [Scheduled(self._telling(callback), due) for callback, due in given]

    def _telling(self, callback: Callback) -> Callable[[Counts], bool | None]:
        return lambda now: callback(TrainingStatus(now.span.step, now.env_steps, now.updates, self._evaluation))
