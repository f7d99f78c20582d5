"""One worker process as its parent sees it: asked, and waited for with a time limit."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from envs.stepping.child import Child
from envs.stepping.worker_main import serve

START_LIMIT = 60.0  # seconds until the first environment is being made: Python starts and imports
LOOK_AGAIN = 0.25  # seconds between looks at a process that has not answered


class Died(Exception):
    """A worker process is no more: the text says how and where, ``row`` which of its rows it was at, if any."""

    def __init__(self, words: str, row: int | None) -> None:
        super().__init__(words)
        self.row = row


class Worker(Child):
    """A process that steps ``rows``, numbers in the whole engine; ``tasks`` are theirs, pickled.

    One call of an environment may take ``timeout`` seconds, whatever the number of rows.
    """

    def __init__(self, rows: np.ndarray, tasks: Sequence[bytes], specs: Sequence[bytes], timeout: float) -> None:
        super().__init__("mtrl-worker", timeout)
        self.rows, self._told = rows, (tasks, specs)

    def start(self) -> None:
        """Start the process; the next ``answer`` is its first. Raises ``TaskFailed`` where the system refuses."""
        self.launch(serve, *self._told)
        self._number = 0

    def ask(self, name: str, *arguments: Any) -> None:
        """Ask for a method's result; where the process is gone, ``answer`` will say so."""
        self._number += 1
        with contextlib.suppress(OSError):
            self.connection.send((self._number, name, arguments))

    def answer(self) -> tuple[Any, list[tuple[int, str]]]:
        """Wait for the answer to the last request -> result, failures. Raises ``Died``, and the process is gone."""
        self.look()
        while True:
            try:
                if self.connection.poll(min(LOOK_AGAIN, self.timeout / 4)):
                    number, result, failures = self.connection.recv()
                    if number == self._number:  # Ctrl-C may have given up on an older one
                        return result, failures
                    continue
            except (EOFError, OSError):
                raise self._died() from None
            if self.over:
                raise self._died()  # and something that it started holds its end of the pipe
            limit = self.timeout if self.begun else max(self.timeout, START_LIMIT)
            if self.waited() > limit:
                raise self._died(limit)

    @property
    def row(self) -> int | None:
        """Which of its rows, in the whole engine, the process is busy with."""
        at = self.row_at_work
        return None if at is None else int(self.rows[at])

    def dismiss(self) -> None:
        """Ask the process to close its environments and end."""
        with contextlib.suppress(OSError):
            self.connection.send(None)

    def _died(self, patience: float | None = None) -> Died:
        row = self.row
        return Died(self.death(patience), row)
