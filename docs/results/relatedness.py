"""Five tasks as twins or planted opposites, for where-sharing-helps.md: ``--suite relatedness:push_twins``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from envs.tabletop.env import TabletopEnv
from envs.tabletop.simulator import make_simulator
from envs.tabletop.tasks import TabletopTask
from envs.tabletop.variants import Variant
from mtrl import Task, TaskSuite

COUNT = 5


def _suite(name: str, tasks: list[TabletopTask]) -> TaskSuite:
    return TaskSuite(
        name,
        [Task(one.name, partial(TabletopEnv, one), one.sentence, parameters={"hand": one.speed}) for one in tasks],
        simulator=partial(make_simulator, {one.name: one for one in tasks}),
    )


def twins(skill: str) -> TaskSuite:
    """One task under five names, with one sentence."""
    task = Variant(skill).task()
    return _suite(f"{skill}-twins", [replace(task, name=f"{skill}-{k}") for k in range(1, COUNT + 1)])


def opposites(skill: str) -> TaskSuite:
    """One task five times; in every second one the hand moves against the action: no action is right in both."""
    task = Variant(skill).task()
    against = replace(task, sentence=f"{task.sentence[:-1]}, with a hand that moves the other way.", speed=-task.speed)
    return _suite(
        f"{skill}-opposites", [replace((task, against)[k % 2], name=f"{skill}-{k + 1}") for k in range(COUNT)]
    )


push_twins, push_opposites = twins("push"), opposites("push")
door_open_twins, door_open_opposites = twins("door-open"), opposites("door-open")
