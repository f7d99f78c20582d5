"""What runs inside a worker process: it steps its share of the rows on request. Free of torch."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

import gymnasium as gym

from envs.copies import GymCopies
from envs.errors import SuiteError, one_line
from envs.suite import Task

CALLS = ("idle", "make", "reset", "step", "close")
ROW, CALL, BEAT = range(3)  # the numbers of a place: which row, which of CALLS, and how many calls there were
PR_SET_PDEATHSIG = 1  # from <linux/prctl.h>
LOOK_AGAIN = 0.5  # seconds


class Place:
    """Where a worker is, in memory that its parent reads, so that what hangs or dies can be named."""

    def __init__(self, shared: Any) -> None:
        self._shared = shared
        self.leave()

    def enter(self, row: int, call: str) -> None:
        """Say that ``call`` of ``row`` begins."""
        self._shared[ROW], self._shared[CALL] = row, CALLS.index(call)
        self._shared[BEAT] += 1

    def leave(self) -> None:
        """Record that the worker waits for a request."""
        self._shared[ROW], self._shared[CALL] = -1, CALLS.index("idle")


def serve(
    connection: Connection,
    shared: Any,
    tasks: Sequence[bytes],
    specs: Sequence[bytes],
    parent: int,
    dies_with_parent: bool,
) -> None:
    """Make one environment for each of ``tasks`` (pickled) and answer the parent until it says nothing more.

    A request is ``(number, name of a method, arguments)``, its answer ``(number, result or SuiteError's text,
    failures)``; the first answer has the number 0 and the sizes. ``specs`` are registered with Gymnasium before.
    """
    _detach(parent, dies_with_parent)
    place, failures = Place(shared), list[tuple[int, str]]()
    copies = _made(tasks, specs, place, lambda row, words: failures.append((row, words)))
    if isinstance(copies, str):
        connection.send((0, copies, []))
        return
    connection.send((0, (copies.obs_size, copies.action_mask.sum(axis=1)), []))
    answers: dict[str, Callable[..., Any]] = {"reset": copies.reset, "step": lambda action: tuple(copies.step(action))}
    with contextlib.suppress(EOFError, OSError):  # the parent is gone
        while (request := connection.recv()) is not None:
            number, name, arguments = request
            failures.clear()
            try:
                result = answers[name](*arguments)
            except SuiteError as error:
                result = str(error)
            place.leave()
            connection.send((number, result, failures))
    copies.close()


def _made(
    tasks: Sequence[bytes], specs: Sequence[bytes], place: Place, failed: Callable[[int, str], None]
) -> GymCopies | str:
    """Make the environments -> them, or what keeps them from being made here."""
    for spec in map(pickle.loads, specs):
        gym.registry.setdefault(spec.id, spec)
    unpacked: list[Task] = []
    for row, task in enumerate(tasks):
        place.enter(row, "make")
        try:
            unpacked.append(pickle.loads(task))
        except Exception as error:  # noqa: BLE001  # whatever importing its parts raises
            return one_line(error)
    try:
        return GymCopies(unpacked, 1, failed=failed, before=place.enter)
    except SuiteError as error:
        return str(error)
    finally:
        place.leave()  # but not from what cannot be unpickled: it is the parent that knows its name


def _detach(parent: int, dies_with_parent: bool) -> None:
    """Leave signals and the end to the parent: it stops its workers itself, and they end when it is gone.

    A thread looks for the parent, and takes along what the environments started. The system's own signal is quicker,
    reaches an environment that holds the interpreter's lock, and leaves the rest to itself. It comes when the thread
    that made the worker ends, so only a parent's main thread asks for it.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _unmoved)  # ignored for good, they would be in what an environment starts, too
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # so that the parent can kill what an environment started, too
    if dies_with_parent and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _unmoved(number: int, frame: FrameType | None) -> None:
    """Take no notice."""


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_AGAIN)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
