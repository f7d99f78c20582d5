"""What an experiment tracker is told of a run, and what keeps one that fails from ending it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from envs.errors import one_line, warn
from mtrl.terminal.interrupt import Stopped

Status = Literal["finished", "stopped", "failed"]


class TrackedRun(NamedTuple):
    """A run as a tracker gets to know it; ``params`` are its configuration, flat."""

    name: str  # of its folder below runs_dir: suite/agent/seed0
    path: Path
    runs_dir: Path
    suite: str
    agent: str
    params: dict[str, Any]


class Tracker(Protocol):
    """Takes what is written of a run as it is written. Steps never fall; what a method raises is the library's own.

    ``where`` says in words where its data are.
    """

    where: str

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Take tag to value, as ``metrics.csv`` has them."""

    def picture(self, step: int, tag: str, picture: np.ndarray) -> None:
        """Take an (H, W, 3) uint8 picture."""

    def film(self, step: int, tag: str, gif: bytes) -> None:
        """Take a film."""

    def result(self, step: int, values: Mapping[str, Any]) -> None:
        """Take what the run came to: numbers and words by name."""

    def finish(self, status: Status) -> None:
        """Hear how the run ended; nothing comes after."""


class Guarded:
    """Hands on to a tracker until that fails, which is warned of once, in one line: a training never ends by it."""

    def __init__(self, name: str, tracker: Tracker) -> None:
        self._name, self._tracker, self._failed = name, tracker, False
        self.where = tracker.where

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Hand on."""
        self._hand_on("scalars", step, values)

    def picture(self, step: int, tag: str, picture: np.ndarray) -> None:
        """Hand on."""
        self._hand_on("picture", step, tag, picture)

    def film(self, step: int, tag: str, gif: bytes) -> None:
        """Hand on."""
        self._hand_on("film", step, tag, gif)

    def result(self, step: int, values: Mapping[str, Any]) -> None:
        """Hand on."""
        self._hand_on("result", step, values)

    def finish(self, status: Status) -> None:
        """Hand on; what failed before is ended all the same, so that it does not stay open, and whatever that says."""
        if not self._failed:
            self._hand_on("finish", status)
            return
        with contextlib.suppress(Exception):
            self._tracker.finish(status)

    def _hand_on(self, method: str, *values: Any) -> None:
        if self._failed:
            return
        try:
            getattr(self._tracker, method)(*values)
        except Exception as error:  # noqa: BLE001  (whatever a library raises where a disk or a network fails)
            self._failed = True
            warn(f"--track {self._name} failed and is told no more, the run goes on: {one_line(error)}")


def status_of(error: BaseException | None) -> Status:
    """Return how a run ended that an exception, or none, has left."""
    if error is None:
        return "finished"
    return "stopped" if isinstance(error, Stopped | KeyboardInterrupt) else "failed"
