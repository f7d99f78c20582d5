"""One worker process as its parent sees it: it takes requests, and its answers have a time limit."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from envs.stepping.child import Child
from envs.stepping.worker_main import serve

START_SECONDS = 60.0  # for Python to start and import, until the first environment is being made
POLL_SECONDS = 0.25  # between checks of a process that has not answered


class WorkerDied(Exception):
    """A worker process is gone: the message says how and where, ``row`` which row it was stepping, if any."""

    def __init__(self, message: str, row: int | None) -> None:
        super().__init__(message)
        self.row = row


class Worker(Child):
    """A process that steps ``rows``, numbered as in the whole engine; ``tasks`` are their pickled tasks.

    One call of an environment may take ``timeout`` seconds, whatever the number of rows.
    """

    def __init__(self, rows: np.ndarray, tasks: Sequence[bytes], specs: Sequence[bytes], timeout: float) -> None:
        super().__init__("mtrl-worker", timeout)
        self.rows, self._arguments = rows, (tasks, specs)

    def start(self) -> None:
        """Start the process; the next ``answer`` is its first. Raises ``TaskFailed`` if the system refuses."""
        self.launch(serve, *self._arguments)
        self._number = 0

    def ask(self, name: str, *arguments: Any) -> None:
        """Request a method's result; if the process is gone, ``answer`` will raise."""
        self._number += 1
        with contextlib.suppress(OSError):
            self.connection.send((self._number, name, arguments))

    def answer(self) -> tuple[Any, list[tuple[int, str]]]:
        """Wait for the last request's result and failures. Raises ``WorkerDied`` once the process is gone."""
        self.reset_timer()
        while True:
            try:
                if self.connection.poll(min(POLL_SECONDS, self.timeout / 4)):
                    number, result, failures = self.connection.recv()
                    if number == self._number:  # an older one may follow a Ctrl-C
                        return result, failures
                    continue
            except (EOFError, OSError):
                raise self._died() from None
            if self.finished:
                raise self._died()  # and something that it started still holds the pipe
            limit = self.timeout if self.started else max(self.timeout, START_SECONDS)
            if self.waited() > limit:
                raise self._died(limit)

    @property
    def row(self) -> int | None:
        """The row of the whole engine that the process is busy with, None if there is none."""
        row = self.busy_row
        return None if row is None else int(self.rows[row])

    def dismiss(self) -> None:
        """Ask the process to close its environments and end."""
        with contextlib.suppress(OSError):
            self.connection.send(None)

    def _died(self, patience: float | None = None) -> WorkerDied:
        row = self.row
        return WorkerDied(self.kill_and_explain(patience), row)
