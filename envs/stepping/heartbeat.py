"""What a process of our own does inside: it says where it is, and ends with its parent."""

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
ROW, CALL, BEAT = range(3)  # the numbers of a place: which row, which of CALLS, and how many calls there were
PR_SET_PDEATHSIG = 1  # from <linux/prctl.h>
LOOK_AGAIN = 0.5  # seconds


class Heartbeat:
    """Where a process is, in memory that its parent reads, so that what hangs or dies can be named."""

    def __init__(self, shared: Any) -> None:
        self._shared = shared
        self.leave()

    def enter(self, row: int, call: str) -> None:
        """Say that ``call`` of ``row`` begins."""
        self._shared[ROW], self._shared[CALL] = row, CALLS.index(call)
        self._shared[BEAT] += 1

    def leave(self) -> None:
        """Say that no environment is being called."""
        self._shared[ROW], self._shared[CALL] = -1, CALLS.index("idle")


def detach(parent: int, dies_with_parent: bool) -> None:
    """Leave signals and the end to the parent: it stops its processes itself, and they end when it is gone.

    A thread looks for the parent, and takes along what the environments started. The system's own signal is quicker,
    reaches an environment that holds the interpreter's lock, and leaves the rest to itself. It comes when the thread
    that made the process ends, so only a parent's main thread asks for it.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _unmoved)  # ignored for good, they would be in what an environment starts, too
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # so that the parent can kill what an environment started, too
    if dies_with_parent and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()  # which sees a parent that died before


def _unmoved(number: int, frame: FrameType | None) -> None:
    """Take no notice."""


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_AGAIN)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
