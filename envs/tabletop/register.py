"""The tabletop tasks' names in Gymnasium's registry."""

from __future__ import annotations

import gymnasium as gym

from envs.tabletop.tasks import HORIZON, TASKS


def gym_id(name: str) -> str:
    """Return the Gymnasium id of a task: ``mtrl/TabletopPush-v0`` for ``push``."""
    return f"mtrl/Tabletop{''.join(part.capitalize() for part in name.split('-'))}-v0"


def register_tasks() -> None:
    """Register each task with ``gymnasium.make``; doing so twice changes nothing."""
    for task in TASKS:
        if gym_id(task.name) not in gym.registry:
            gym.register(
                gym_id(task.name),
                entry_point="envs.tabletop.env:TabletopEnv",
                max_episode_steps=HORIZON,
                kwargs={"task": task.name},
            )
