"""Gymnasium-Robotics' four Fetch tasks with their dense reward: minus the distance to the goal at every step."""

from __future__ import annotations

import contextlib
import importlib
import io
from functools import partial
from typing import Any

import gymnasium as gym

from envs.errors import need
from envs.suite import Task, TaskSuite


def make_fetch(id_: str, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make one of the Fetch environments; its observation is a Dict of state, achieved and desired goal, in m."""
    need("gymnasium_robotics", "robotics")
    with contextlib.redirect_stderr(io.StringIO()):  # its import prints a notice about other tasks
        importlib.import_module("gymnasium_robotics")
    return gym.make(id_, disable_env_checker=True, **kwargs)


# Plappert et al. 2018, "Multi-Goal Reinforcement Learning: Challenging Robotics Environments and Request for Research".
suite = TaskSuite(
    "fetch",
    [
        Task(name, partial(make_fetch, f"Fetch{id_}Dense-v4"), sentence)
        for name, id_, sentence in (
            ("reach", "Reach", "Move the gripper to the goal in the air."),
            ("push", "Push", "Push the block over the table to the goal, with the gripper closed."),
            ("slide", "Slide", "Hit the puck so that it slides to a goal beyond the arm's reach."),
            (
                "pick-and-place",
                "PickAndPlace",
                "Pick the block up and bring it to the goal, on the table or in the air.",
            ),
        )
    ],
)
