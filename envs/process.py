"""One worker process as its parent sees it: started, asked, waited for with a time limit, and ended for certain."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Sequence
from multiprocessing import get_context
from typing import Any

import numpy as np

from envs.errors import TaskFailed, one_line
from envs.worker import BEAT, CALL, CALLS, ROW, serve

SPAWN = get_context("spawn")  # a fork would take along the learner's threads and its GPU
START_LIMIT = 60.0  # seconds until the first environment is being made: Python starts and imports
LOOK_AGAIN = 0.25  # seconds between looks at a process that has not answered
REAP = 1.0  # seconds in which a process that is dead is gone
PLACES = {
    "make": "while the environment was made",
    "idle": "between steps",
    "start": "while it started (a script makes environments with workers below `if __name__ == '__main__':`)",
}


class Died(Exception):
    """A worker process is no more: the text says how and where, ``row`` which of its rows it was at, if any."""

    def __init__(self, words: str, row: int | None) -> None:
        super().__init__(words)
        self.row = row


class Worker:
    """A process that steps ``rows``, numbers in the whole engine; ``tasks`` are theirs, pickled.

    One call of an environment may take ``timeout`` seconds, whatever the number of rows.
    """

    def __init__(self, rows: np.ndarray, tasks: Sequence[bytes], specs: Sequence[bytes], timeout: float) -> None:
        self.rows, self._timeout = rows, timeout
        self._told = (tasks, specs, os.getpid())
        self._process: Any = None

    def start(self) -> None:
        """Start the process; the next ``answer`` is its first. Raises ``TaskFailed`` where the system refuses."""
        self.end(0.0)
        try:
            self._connection, theirs = SPAWN.Pipe()
            self._place = SPAWN.RawArray("q", [-1, 0, 0])
            main = threading.current_thread() is threading.main_thread()
            arguments = (theirs, self._place, *self._told, main)
            self._process = SPAWN.Process(target=serve, args=arguments, name="mtrl-worker")
            self._process.start()
        except OSError as error:
            raise TaskFailed(f"a worker process cannot be started: {one_line(error)}; ask for fewer") from error
        theirs.close()
        self._number = 0

    def ask(self, name: str, *arguments: Any) -> None:
        """Ask for a method's result; where the process is gone, ``answer`` will say so."""
        self._number += 1
        with contextlib.suppress(OSError):
            self._connection.send((self._number, name, arguments))

    def answer(self) -> tuple[Any, list[tuple[int, str]]]:
        """Wait for the answer to the last request -> result, failures. Raises ``Died``, and the process is gone."""
        beat, since = self._place[BEAT], time.monotonic()
        while True:
            try:
                if self._connection.poll(min(LOOK_AGAIN, self._timeout / 4)):
                    number, result, failures = self._connection.recv()
                    if number == self._number:  # Ctrl-C may have given up on an older one
                        return result, failures
                    continue
            except (EOFError, OSError):
                raise self._died() from None
            if self._process.exitcode is not None and not self._connection.poll():
                raise self._died()  # and something that it started holds its end of the pipe
            now = time.monotonic()
            if self._place[BEAT] != beat:
                beat, since = self._place[BEAT], now
            limit = self._timeout if beat else max(self._timeout, START_LIMIT)
            if now - since > limit:
                raise self._died(limit)

    def row_at_work(self) -> int | None:
        """Which of its rows, in the whole engine, the process is busy with."""
        row = self._place[ROW]
        return None if row < 0 else int(self.rows[row])

    def dismiss(self) -> None:
        """Ask the process to close its environments and end."""
        with contextlib.suppress(OSError):
            self._connection.send(None)

    def end(self, seconds: float) -> None:
        """Give the process so long to end by itself, then kill it and what its environments started."""
        if self._process is None:
            return
        self._process.join(max(seconds, 0.0))
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join(REAP)
        self._connection.close()
        self._process = None

    def _died(self, patience: float | None = None) -> Died:
        """Make sure that it has ended, by itself or after ``patience`` seconds without an answer -> how it ended."""
        call = CALLS[self._place[CALL]] if self._place[BEAT] else "start"
        where = PLACES.get(call, f"in {call}")
        if patience is not None:
            words = f"did not respond for {patience:g} s {where} and was killed"
        else:
            self._process.join(REAP)
            code = self._process.exitcode
            words = (
                f"was killed by {_signal(-code)} {where}"
                if code and code < 0
                else f"ended with exit code {code} {where}"
            )
        died = Died(words, self.row_at_work())
        self.end(0.0)
        return died


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
