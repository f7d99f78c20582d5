"""A process of our own as its parent sees it: started, looked at, and ended for certain."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from envs.errors import TaskFailed, one_line
from envs.stepping.heartbeat import BEAT, CALL, CALLS, ROW

SPAWN = get_context("spawn")  # a fork would take along the learner's threads and its GPU
REAP = 1.0  # seconds in which a process that is dead is gone
PLACES = {
    "make": "while the environment was made",
    "idle": "between steps",
    "start": "while it started (a script makes environments with workers below `if __name__ == '__main__':`)",
}


class Child:
    """A process, a pipe to it (``connection``), and a place in shared memory where it says what it is at.

    One call of an environment may take ``timeout`` seconds.
    """

    def __init__(self, name: str, timeout: float) -> None:
        self._name, self.timeout = name, timeout
        self._process: Any = None
        self.connection: Connection

    def launch(self, target: Callable[..., None], *arguments: Any) -> None:
        """Start ``target(connection, place, parent, dies_with_parent, *arguments)``.

        The first four are what ``envs.stepping.heartbeat`` asks for. Raises ``TaskFailed`` where the system refuses.
        """
        self.end(0.0)
        try:
            self.connection, theirs = SPAWN.Pipe()
            self._place = SPAWN.RawArray("q", [-1, 0, 0])
            main = threading.current_thread() is threading.main_thread()
            given = (theirs, self._place, os.getpid(), main, *arguments)
            self._process = SPAWN.Process(target=target, args=given, name=self._name)
            self._process.start()
        except OSError as error:
            raise TaskFailed(f"a worker process cannot be started: {one_line(error)}; ask for fewer") from error
        theirs.close()
        self.look()

    @property
    def over(self) -> bool:
        """Whether the process is no more and has left nothing to be read."""
        return self._process.exitcode is not None and not self.connection.poll()

    @property
    def begun(self) -> bool:
        """Whether the process has come to its first environment."""
        return bool(self._place[BEAT])

    @property
    def call(self) -> str:
        """Which of ``CALLS`` the process is in."""
        return CALLS[self._place[CALL]]

    @property
    def row_at_work(self) -> int | None:
        """Which of its rows the process is busy with."""
        row = self._place[ROW]
        return None if row < 0 else row

    def look(self) -> None:
        """Count waiting from now on."""
        self._beat, self._since = self._place[BEAT], time.monotonic()

    def waited(self) -> float:
        """Return how many seconds have passed since a call of an environment began, or since ``look``."""
        if self._place[BEAT] != self._beat:
            self.look()
        return time.monotonic() - self._since

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
        self.connection.close()
        self._process = None

    def death(self, patience: float | None = None) -> str:
        """Make sure of its end, after ``patience`` seconds without an answer or by itself -> what to say of it."""
        call = self.call if self.begun else "start"
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
        self.end(0.0)
        return words


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
