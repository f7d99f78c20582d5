"""What runs inside a worker process, which steps its share of the rows on request. Free of torch."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

import gymnasium as gym

from envs.errors import SuiteError, one_line
from envs.output import lasting_output
from envs.stepping.copies import GymCopies
from envs.stepping.heartbeat import Heartbeat, detach
from envs.suite import Task


def serve(
    connection: Connection,
    shared: Any,
    parent: int,
    dies_with_parent: bool,
    tasks: Sequence[bytes],
    specs: Sequence[bytes],
) -> None:
    """Make one environment for each of ``tasks`` (pickled) and answer the parent until it sends None or is gone.

    A request is ``(number, name of a method, arguments)``, its answer ``(number, result or SuiteError's message,
    failures)``; the first answer has the number 0 and the sizes. ``specs`` are registered with Gymnasium first.
    """
    detach(parent, dies_with_parent)
    with lasting_output():  # an environment that prints must not fail because nobody reads it
        _answer_all(connection, shared, tasks, specs)


def _answer_all(connection: Connection, shared: Any, tasks: Sequence[bytes], specs: Sequence[bytes]) -> None:
    heartbeat, failures = Heartbeat(shared), list[tuple[int, str]]()
    copies = _made(tasks, specs, heartbeat, lambda row, message: failures.append((row, message)))
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
            heartbeat.leave()
            connection.send((number, result, failures))
    copies.close()


def _made(
    tasks: Sequence[bytes], specs: Sequence[bytes], heartbeat: Heartbeat, failed: Callable[[int, str], None]
) -> GymCopies | str:
    """Return the environments, or why they cannot be made here."""
    for spec in map(pickle.loads, specs):
        gym.registry.setdefault(spec.id, spec)
    unpacked: list[Task] = []
    for row, task in enumerate(tasks):
        heartbeat.enter(row, "make")
        try:
            unpacked.append(pickle.loads(task))
        except Exception as error:  # noqa: BLE001  # whatever importing its parts raises
            return one_line(error)
    try:
        return GymCopies(unpacked, 1, failed=failed, on_call=heartbeat.enter)
    except SuiteError as error:
        return str(error)
    finally:
        heartbeat.leave()  # not if unpickling failed: the row tells the parent which task it was
