"""Processes that train one task each: one that dies or hangs neither costs another's model nor blocks the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from typing import Any, NamedTuple

from envs.errors import TaskFailed
from envs.stepping.child import SPAWN, Child
from envs.suite import TaskSuite
from mtrl.baselines.sb3_task import TaskModel, TaskProgress, train_task
from mtrl.config import TrainConfig

POLL_INTERVAL = 0.2  # seconds
GRACE = 5.0  # seconds for halted processes to close their environments


class TrainedTasks(NamedTuple):
    """The models of the finished tasks, and the error that ended the training of the others, if any."""

    models: dict[str, TaskModel]
    failure: Exception | None


def train_tasks(
    config: TrainConfig[Any],
    given: TaskSuite | None,
    names: Sequence[str],
    jobs: int,
    receive: Callable[[TaskProgress], None],
    stop: Callable[[], bool],
) -> TrainedTasks:
    """Train every task in a separate process, ``jobs`` at a time, until all are done, one fails, or ``stop()``.

    One call of an environment may take ``config.env_timeout`` seconds. ``receive`` is called with each progress report.
    """
    waiting, running = [*names], dict[str, Child]()
    models, failure = dict[str, TaskModel](), None
    halt = SPAWN.Event()
    try:
        while (waiting or running) and failure is None and not stop():
            while waiting and len(running) < jobs:
                name = waiting.pop(0)
                running[name] = Child(f"mtrl-{name}", config.env_timeout)
                running[name].launch(train_task, config, given, name, halt)
            wait([child.connection for child in running.values()], POLL_INTERVAL)
            for name, child in list(running.items()):
                end = _end_of(name, child, receive)
                if end is None:
                    continue
                child.end(GRACE)
                del running[name]
                if isinstance(end, TaskModel):
                    models[name] = end
                else:
                    failure = failure or end
    finally:
        halt.set()
        deadline = time.monotonic() + GRACE
        for child in running.values():
            child.end(deadline - time.monotonic())
    return TrainedTasks(models, failure)


def _end_of(name: str, child: Child, receive: Callable[[TaskProgress], None]) -> TaskModel | Exception | None:
    """Receive the messages of a process; return its result or its error, or None while it is running."""
    try:
        while child.connection.poll():
            message = child.connection.recv()
            if not isinstance(message, TaskProgress):
                return message
            receive(message)
    except (EOFError, OSError):
        return _lost(name, child, None)
    if child.finished:
        return _lost(name, child, None)
    if child.call == "idle":
        child.reset_timer()  # it learns
    elif child.waited() > child.timeout:
        return _lost(name, child, child.timeout)
    return None


def _lost(name: str, child: Child, patience: float | None) -> TaskFailed:
    return TaskFailed(f"task {name!r}: the process that trains it {child.kill_and_explain(patience)}")
