"""Signals that ask a run to stop: the loop finishes its current step, saves its results, and exits."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")  # not every system has all of them
PATIENCE = 6.0  # seconds that a step of the environments may take after a signal
SAME_REQUEST = 5.0  # seconds in which another SIGTERM is the same request


class Stopped(Exception):
    """A run ended early because of a signal; its results so far are kept."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.signal = number


class Interrupted(Exception):
    """A long operation was abandoned because a signal asked the run to stop."""


class StopRequest:
    """While entered, the first of the signals sets ``signal``; a second one acts as usual.

    A second SIGTERM does so only after some seconds: a system that ends a job signals all of its processes, so that a
    run of a sweep receives one from the system and one from the sweep, and would end without having been saved.
    Python handles signals only in its main thread, so in other threads this does nothing. A signal that is ignored, as
    SIGHUP is under ``nohup``, stays ignored.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._former: dict[int, Any] = {}
        self._breakable = False

    def __bool__(self) -> bool:
        return self.signal is not None

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for name in NAMES:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._former[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
        self._wake(0.0)

    def check(self) -> None:
        """Raise ``Interrupted`` once a signal has arrived."""
        if self:
            raise Interrupted

    @contextmanager
    def breakable(self) -> Iterator[None]:
        """Let the block be left by ``Interrupted`` if it still runs some seconds after a signal."""
        self._breakable = True
        try:
            yield
        finally:
            self._breakable = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        self._restore()
        if number == signal.SIGTERM:
            self._noted = time.monotonic()
            self._former[number] = signal.signal(number, self._again)
        self._wake(PATIENCE)

    def _again(self, number: int, frame: FrameType | None) -> None:
        """Let another SIGTERM act as usual, unless it is the same request."""
        if time.monotonic() - self._noted >= SAME_REQUEST:
            self._restore()
            signal.raise_signal(number)

    def _break(self, number: int, frame: FrameType | None) -> None:
        if self._breakable:
            raise Interrupted
        self._wake(PATIENCE)

    def _wake(self, seconds: float) -> None:
        """Have ``_break`` called after ``seconds``; 0 cancels it."""
        if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
            return
        if seconds:
            self._former_alarm = signal.signal(signal.SIGALRM, self._break)
            signal.setitimer(signal.ITIMER_REAL, seconds)
        elif hasattr(self, "_former_alarm"):
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, self._former_alarm)

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}
