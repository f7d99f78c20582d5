"""When a training is saved, and what belongs to it: as often as costs little, and at the end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from agents.replay import Replay
from mtrl.checkpoints.store import Checkpoint, CheckpointStore
from mtrl.config import TrainConfig
from mtrl.training.schedule import Counts

SHARE = 0.02  # of the time, that saving may take
SOONEST, LATEST = 30.0, 600.0  # seconds between two checkpoints, unless a number is given


class Stateful(Protocol):
    """Whatever changes while a run goes."""

    def state_dict(self) -> dict[str, Any]:
        """Return what has to be known to go on."""

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Continue from what ``state_dict`` returned."""


class Saving:
    """A callback that saves a run: ``parts`` by name, and the replay's transitions.

    Where the disk does not take a checkpoint, that is said, the last good one stays, and the next is tried when it is
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
        """``facts`` do not change. ``resumed`` is gone on from: the parts and the replay are put into its state."""
        self._store = CheckpointStore(run, None if resumed is None else resumed.replay)
        self._parts, self._facts, self._replay = parts, facts, replay
        self._every, self._console, self._failing = config.checkpoint_every, console, False
        self._last, self._cost = time.monotonic(), 0.0
        if resumed is not None:
            resumed.replay.load(replay)
            for name, part in parts.items():
                part.load_state_dict(resumed.state[name])

    def __call__(self, now: Counts) -> None:
        """Save the run where it is time to."""
        if self._every != 0 and time.monotonic() - self._last >= self._interval():
            self.save(now.span.step)

    def save(self, step: int) -> bool:
        """Save the run as it is after so many steps per task -> whether the disk took it."""
        begin = time.monotonic()
        try:
            state = {name: part.state_dict() for name, part in self._parts.items()}
            self._store.save(step, {**state, **self._facts}, self._replay)
        except OSError as error:
            if not self._failing:  # a disk that is full stays so for a while
                said = f"warning: no checkpoint could be written ({error.strerror or error}); the last good one stays"
                self._console.print(said, markup=False)
            self._failing = True
            return False
        finally:
            self._last = time.monotonic()
            self._cost = self._last - begin
        self._failing = False
        return True

    def discard(self) -> None:
        """Delete all checkpoints: the run is over."""
        self._store.discard()

    def _interval(self) -> float:
        return min(LATEST, max(SOONEST, self._cost / SHARE)) if self._every is None else self._every
