"""A child process as its parent sees it: started, watched, and reliably ended."""

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

SPAWN = get_context("spawn")  # a fork would inherit the learner's threads and GPU
REAP_SECONDS = 1.0  # to wait for a process that is dead
CALL_PHRASES = {
    "make": "while the environment was made",
    "idle": "between steps",
    "start": "while it started (a script must make environments with workers below `if __name__ == '__main__':`)",
}


class Child:
    """A process, a pipe to it (``connection``), and shared memory in which it reports what it is doing.

    One call of an environment may take ``timeout`` seconds.
    """

    def __init__(self, name: str, timeout: float) -> None:
        self._name, self.timeout = name, timeout
        self._process: Any = None
        self.connection: Connection

    def launch(self, target: Callable[..., None], *arguments: Any) -> None:
        """Start ``target(connection, shared, parent, dies_with_parent, *arguments)``.

        The second to fourth are for ``envs.stepping.heartbeat``. Raises ``TaskFailed`` if the system refuses.
        """
        self.end(0.0)
        try:
            self.connection, theirs = SPAWN.Pipe()
            self._shared = SPAWN.RawArray("q", [-1, 0, 0])
            main = threading.current_thread() is threading.main_thread()
            all_arguments = (theirs, self._shared, os.getpid(), main, *arguments)
            self._process = SPAWN.Process(target=target, args=all_arguments, name=self._name)
            self._process.start()
        except OSError as error:
            raise TaskFailed(f"a worker process cannot be started: {one_line(error)}; use fewer") from error
        theirs.close()
        self.reset_timer()

    @property
    def finished(self) -> bool:
        """Whether the process has ended and left nothing to read."""
        return self._process.exitcode is not None and not self.connection.poll()

    @property
    def started(self) -> bool:
        """Whether the process has reached its first environment."""
        return bool(self._shared[BEAT])

    @property
    def call(self) -> str:
        """Which of ``CALLS`` the process is in."""
        return CALLS[self._shared[CALL]]

    @property
    def busy_row(self) -> int | None:
        """The row that the process is busy with, None if there is none."""
        row = self._shared[ROW]
        return None if row < 0 else row

    def reset_timer(self) -> None:
        """Measure ``waited`` from now on."""
        self._beat, self._since = self._shared[BEAT], time.monotonic()

    def waited(self) -> float:
        """Return how many seconds have passed since a call of an environment began, or since ``reset_timer``."""
        if self._shared[BEAT] != self._beat:
            self.reset_timer()
        return time.monotonic() - self._since

    def end(self, seconds: float) -> None:
        """Give the process so many seconds to end by itself, then kill it and what its environments started."""
        if self._process is None:
            return
        self._process.join(max(seconds, 0.0))
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join(REAP_SECONDS)
        self.connection.close()
        self._process = None

    def kill_and_explain(self, patience: float | None = None) -> str:
        """End a process that died or, given ``patience``, did not answer for so many seconds; return what happened."""
        call = self.call if self.started else "start"
        where = CALL_PHRASES.get(call, f"in {call}")
        if patience is not None:
            message = f"did not respond for {patience:g} s {where} and was killed"
        else:
            self._process.join(REAP_SECONDS)
            code = self._process.exitcode
            message = (
                f"was killed by {_signal(-code)} {where}"
                if code and code < 0
                else f"ended with exit code {code} {where}"
            )
        self.end(0.0)
        return message


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
