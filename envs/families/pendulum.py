"""Gymnasium's Pendulum-v1 under another gravity, or with a rod of another length."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from envs.errors import need
from envs.families.family import Family
from envs.suite import TaskSuite


def under_gravity(gravity: float, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make the pendulum under ``gravity``, in m/s^2."""
    return _pendulum(g=gravity, **kwargs)


def of_length(length: float, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make the pendulum with a rod of ``length``, in m; its mass stays 1 kg and its motor 2 N m."""
    env = _pendulum(**kwargs)
    env.unwrapped.l = length  # type: ignore[attr-defined]
    return env


def _pendulum(**kwargs: Any) -> gym.Env[Any, Any]:
    if kwargs.get("render_mode"):  # only rendering needs more than Gymnasium itself
        need("pygame", "classic")
    return gym.make("Pendulum-v1", disable_env_checker=True, **kwargs)


# Above about 16 m/s^2 the top is out of reach: the environment clips the speed at 8 rad/s.
GRAVITY = Family(
    name="pendulum-gravity",
    parameter="gravity",
    unit="m/s^2",
    minimum=0.0,
    maximum=16.0,
    training=(4.0, 6.0, 8.0, 10.0, 12.0),
    held_out=(2.0, 5.0, 9.0, 14.0),
    sentence="Swing the pendulum up and keep it upright where gravity is {value} m/s^2.",
    make=under_gravity,
)

LENGTH = Family(
    name="pendulum-length",
    parameter="length",
    unit="m",
    minimum=0.25,
    maximum=2.5,
    training=(0.5, 0.75, 1.0, 1.25, 1.5),
    held_out=(0.4, 0.6, 1.1, 1.75),
    sentence="Swing the pendulum up and keep it upright with a rod {value} m long.",
    make=of_length,
)


def gravity(argument: str = "") -> TaskSuite:
    """Return the suite ``pendulum-gravity``: five gravities, or your own from 0 to 16 m/s^2."""
    return GRAVITY.suite(argument)


def length(argument: str = "") -> TaskSuite:
    """Return the suite ``pendulum-length``: rods of five lengths, or of your own from 0.25 to 2.5 m."""
    return LENGTH.suite(argument)
