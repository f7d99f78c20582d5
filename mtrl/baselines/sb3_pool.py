"""Processes that train a task each, so many at a time: none can take another's model along, or keep the run waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from typing import Any, NamedTuple

from envs.errors import TaskFailed
from envs.stepping.child import SPAWN, Child
from envs.suite import TaskSuite
from mtrl.baselines.sb3_task import Model, News, train_task
from mtrl.config import TrainConfig

LOOK_EVERY = 0.2  # seconds
GRACE = 5.0  # seconds in which processes that were told to halt may close their environments


class Trained(NamedTuple):
    """The models of the tasks that came to their end, and what kept the others from it, if anything."""

    models: dict[str, Model]
    failure: Exception | None


def train_tasks(
    config: TrainConfig[Any],
    given: TaskSuite | None,
    names: Sequence[str],
    jobs: int,
    take: Callable[[News], None],
    stop: Callable[[], bool],
) -> Trained:
    """Train every task in a process of its own, ``jobs`` at a time, until all are done, one fails, or ``stop()``.

    One call of an environment may take ``config.env_timeout`` seconds. ``take`` is given the news.
    """
    waiting, running = [*names], dict[str, Child]()
    models, failure = dict[str, Model](), None
    halt = SPAWN.Event()
    try:
        while (waiting or running) and failure is None and not stop():
            while waiting and len(running) < jobs:
                name = waiting.pop(0)
                running[name] = Child(f"mtrl-{name}", config.env_timeout)
                running[name].launch(train_task, config, given, name, halt)
            wait([child.connection for child in running.values()], LOOK_EVERY)
            for name, child in list(running.items()):
                end = _end_of(name, child, take)
                if end is None:
                    continue
                child.end(GRACE)
                del running[name]
                if isinstance(end, Model):
                    models[name] = end
                else:
                    failure = failure or end
    finally:
        halt.set()
        deadline = time.monotonic() + GRACE
        for child in running.values():
            child.end(deadline - time.monotonic())
    return Trained(models, failure)


def _end_of(name: str, child: Child, take: Callable[[News], None]) -> Model | Exception | None:
    """Take the news of a process -> what it came to, None as long as it goes on."""
    try:
        while child.connection.poll():
            said = child.connection.recv()
            if not isinstance(said, News):
                return said
            take(said)
    except (EOFError, OSError):
        return _lost(name, child, None)
    if child.over:
        return _lost(name, child, None)
    if child.call == "idle":
        child.look()  # it learns
    elif child.waited() > child.timeout:
        return _lost(name, child, child.timeout)
    return None


def _lost(name: str, child: Child, patience: float | None) -> TaskFailed:
    return TaskFailed(f"task {name!r}: the process that trains it {child.death(patience)}")
