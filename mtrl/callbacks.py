"""What a user's own code hears of a training, and how it ends one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


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


class Watcher(Protocol):
    """What a training tells how far it is: the display, and the user's callbacks with it."""

    def update(self, step: int, env_steps: int, updates: int) -> None:
        """Hear that ``step`` of the total steps per task are done."""

    def evaluated(self, means: Mapping[str, float | None]) -> None:
        """Hear the means over tasks of an evaluation; ``update`` follows."""


class Callbacks:
    """Tells callbacks what the display is told; ``stopped`` once one of them has returned False."""

    def __init__(self, callbacks: Sequence[Callback], display: Watcher) -> None:
        self._callbacks, self._display = callbacks, display
        self._evaluation: Mapping[str, float | None] = {}
        self.stopped = False

    def update(self, step: int, env_steps: int, updates: int) -> None:
        """Pass it on, and ask every callback whether to go on."""
        self._display.update(step, env_steps, updates)
        status = TrainingStatus(step, env_steps, updates, self._evaluation)
        answers = [callback(status) for callback in self._callbacks]
        self.stopped = self.stopped or any(answer is False for answer in answers)

    def evaluated(self, means: Mapping[str, float | None]) -> None:
        """Pass it on, and keep it for the callbacks."""
        self._display.evaluated(means)
        self._evaluation = dict(means)
