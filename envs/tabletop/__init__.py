"""Ten planar manipulation tasks after Meta-World's MT10, and fifty variants of them, in one batched simulator."""

from __future__ import annotations

from functools import partial

import gymnasium as gym

from envs.suite import Task, TaskSuite
from envs.tabletop.register import gym_id, register_tasks
from envs.tabletop.simulator import make_simulator
from envs.tabletop.tasks import BY_NAME, TASKS

register_tasks()

suite = TaskSuite(
    "tabletop",
    [
        Task(t.name, partial(gym.make, gym_id(t.name), disable_env_checker=True), t.sentence, (t.scene.joint,))
        for t in TASKS
    ],
    simulator=partial(make_simulator, BY_NAME),
)
