"""Save a training run: as often as the cost stays low, and at the end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from agents.replay import Replay
from mtrl.checkpoints.store import Checkpoint, CheckpointStore
from mtrl.config import TrainConfig
from mtrl.errors import os_reason
from mtrl.training.schedule import Counts

MAX_TIME_SHARE = 0.02  # share of the time that saving may take
MIN_INTERVAL, MAX_INTERVAL = 30.0, 600.0  # seconds between two checkpoints, unless a number is given


class Stateful(Protocol):
    """An object whose state changes during a run."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state needed to continue."""

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Continue from what ``state_dict`` returned."""


class Saving:
    """A callback that saves a run: ``parts`` by name, and the replay's transitions.

    If a checkpoint cannot be written, a warning is printed, the last good one stays, and the next one is tried when
    due.
    """

    def __init__(
        self,
        run: Path,
        parts: Mapping[str, Stateful],
        facts: Mapping[str, Any],
        replay: Replay,
        config: TrainConfig[Any],
        console: Console,
        resumed: Checkpoint | None = None,
    ) -> None:
        """``facts`` do not change. From a ``resumed`` checkpoint the state of the parts and the replay is restored."""
        self._store = CheckpointStore(run, None if resumed is None else resumed.replay)
        self._parts, self._facts, self._replay = parts, facts, replay
        self._every, self._console, self._failing = config.checkpoint_every, console, False
        self._last, self._cost = time.monotonic(), 0.0
        if resumed is not None:
            resumed.replay.load(replay)
            for name, part in parts.items():
                part.load_state_dict(resumed.state[name])

    def __call__(self, now: Counts) -> None:
        """Save the run if it is time to."""
        if self._every != 0 and time.monotonic() - self._last >= self._interval():
            self.save(now.span.step)

    def save(self, step: int) -> bool:
        """Save the run after ``step`` steps per task, and return whether that succeeded."""
        begin = time.monotonic()
        try:
            state = {name: part.state_dict() for name, part in self._parts.items()}
            self._store.save(step, {**state, **self._facts}, self._replay)
        except OSError as error:
            if not self._failing:  # warn once: a full disk stays full for a while
                message = f"warning: no checkpoint could be written ({os_reason(error)}); the last good one is kept"
                self._console.print(message, markup=False)
            self._failing = True
            return False
        finally:
            self._last = time.monotonic()
            self._cost = self._last - begin
        self._failing = False
        return True

    def discard(self) -> None:
        """Delete all checkpoints of a finished run."""
        self._store.discard()

    def _interval(self) -> float:
        return min(MAX_INTERVAL, max(MIN_INTERVAL, self._cost / MAX_TIME_SHARE)) if self._every is None else self._every
