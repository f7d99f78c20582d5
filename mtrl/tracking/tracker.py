"""The interface of experiment trackers, and a wrapper that keeps a failing tracker from ending a run."""

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
    """A run as passed to a tracker; ``params`` is its configuration as a flat table."""

    name: str  # of its folder below runs_dir: suite/agent/seed0
    path: Path
    runs_dir: Path
    suite: str
    agent: str
    params: dict[str, Any]


class Tracker(Protocol):
    """Receives the log of a run as it is written. Steps never decrease; methods may raise the library's own errors.

    ``where`` describes where its data are.
    """

    where: str

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Receive values by tag, as in ``metrics.csv``."""

    def image(self, step: int, tag: str, image: np.ndarray) -> None:
        """Receive an (H, W, 3) uint8 image."""

    def video(self, step: int, tag: str, gif: bytes) -> None:
        """Receive a video."""

    def result(self, step: int, values: Mapping[str, Any]) -> None:
        """Receive the result of the run: numbers and strings by name."""

    def finish(self, status: Status) -> None:
        """Receive how the run ended; this is the last call."""


class Guarded:
    """Forwards calls to a tracker until it fails; then it warns once, in one line, and the training continues."""

    def __init__(self, name: str, tracker: Tracker) -> None:
        self._name, self._tracker, self._failed = name, tracker, False
        self.where = tracker.where

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Forward."""
        self._forward("scalars", step, values)

    def image(self, step: int, tag: str, image: np.ndarray) -> None:
        """Forward."""
        self._forward("image", step, tag, image)

    def video(self, step: int, tag: str, gif: bytes) -> None:
        """Forward."""
        self._forward("video", step, tag, gif)

    def result(self, step: int, values: Mapping[str, Any]) -> None:
        """Forward."""
        self._forward("result", step, values)

    def finish(self, status: Status) -> None:
        """Forward; a tracker that failed before is finished too, so that it does not stay open, ignoring its errors."""
        if not self._failed:
            self._forward("finish", status)
            return
        with contextlib.suppress(Exception):
            self._tracker.finish(status)

    def _forward(self, method: str, *values: Any) -> None:
        if self._failed:
            return
        try:
            getattr(self._tracker, method)(*values)
        except Exception as error:  # noqa: BLE001  (a library may raise anything if a disk or a network fails)
            self._failed = True
            warn(f"--track {self._name} failed and is not used any more; the run continues: {one_line(error)}")


def status_of(error: BaseException | None) -> Status:
    """Return how a run ended, given the exception that ended it, if any."""
    if error is None:
        return "finished"
    return "stopped" if isinstance(error, Stopped | KeyboardInterrupt) else "failed"
