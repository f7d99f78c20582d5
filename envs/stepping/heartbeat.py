"""What runs inside a child process: it reports what it is doing, and ends with its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

CALLS = ("idle", "make", "reset", "step", "close")
ROW, CALL, BEAT = range(3)  # of the shared memory: the row, the index of the call in CALLS, the number of calls
PR_SET_PDEATHSIG = 1  # from <linux/prctl.h>
POLL_SECONDS = 0.5  # between checks of the parent


class Heartbeat:
    """What a process is doing, in memory that its parent reads, so that it can name what hung or died."""

    def __init__(self, shared: Any) -> None:
        self._shared = shared
        self.leave()

    def enter(self, row: int, call: str) -> None:
        """Report that ``call`` of ``row`` begins."""
        self._shared[ROW], self._shared[CALL] = row, CALLS.index(call)
        self._shared[BEAT] += 1

    def leave(self) -> None:
        """Report that no environment is being called."""
        self._shared[ROW], self._shared[CALL] = -1, CALLS.index("idle")


def detach(parent: int, dies_with_parent: bool) -> None:
    """Leave signals to the parent, which stops its processes itself, and end when the parent is gone.

    A thread checks for the parent; at the end it also kills what the environments started. Linux's own signal is faster
    and reaches an environment that holds the interpreter's lock, but kills only this process. It is sent when the
    thread that started the process ends, so it is only used if that was the parent's main thread.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ignore)  # SIG_IGN would be inherited by what an environment starts
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # so that the parent can also kill what an environment started
    if dies_with_parent and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()  # it also notices a parent that died before


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing."""


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
