"""Gymnasium's MuJoCo robots with another goal (the reward is wrapped) or body (fields of the model are changed)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import cos, radians, sin
from typing import Any

import gymnasium as gym

from envs.errors import need
from envs.families.family import Family
from envs.suite import TaskSuite


class ForwardReplaced(gym.Wrapper[Any, Any, Any, Any]):
    """The robot's reward with ``forward(info)`` in place of its forward term; its costs and bonuses stay."""

    def __init__(self, env: gym.Env[Any, Any], forward: Callable[[Mapping[str, Any]], float]) -> None:
        super().__init__(env)
        self._forward = forward

    def step(self, action: Any) -> Any:
        """Step, and replace the forward term of the reward."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        forward = self._forward(info)
        reward = float(reward) - info["reward_forward"] + forward
        return obs, reward, terminated, truncated, {**info, "reward_forward": forward}


def cheetah_at_velocity(velocity: float, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make HalfCheetah-v5 with reward -|v - velocity| - 0.1 |a|^2, in m/s (Finn et al. 2017; the cost is v5's)."""
    return ForwardReplaced(_make("HalfCheetah-v5", **kwargs), lambda info: -abs(info["x_velocity"] - velocity))


def ant_in_direction(degrees: float, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make Ant-v5 rewarded for velocity in a direction, anticlockwise from the x axis (after Finn et al. 2017)."""
    x, y = cos(radians(degrees)), sin(radians(degrees))
    return ForwardReplaced(
        _make("Ant-v5", **kwargs), lambda info: float(x * info["x_velocity"] + y * info["y_velocity"])
    )


def cheetah_under_gravity(gravity: float, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make HalfCheetah-v5 under ``gravity``, in m/s^2."""
    env = _make("HalfCheetah-v5", **kwargs)
    _model(env).opt.gravity[2] = -gravity
    return env


def hopper_of_mass(factor: float, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make Hopper-v5 with every body ``factor`` times as heavy: same shapes, another density."""
    env = _make("Hopper-v5", **kwargs)
    import mujoco

    model = _model(env)
    model.body_mass[:] *= factor
    model.body_inertia[:] *= factor
    mujoco.mj_setConst(model, mujoco.MjData(model))  # recomputes what the compiler derived from the masses
    return env


def walker_on_friction(factor: float, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make Walker2d-v5 with every surface's sliding friction ``factor`` times the usual."""
    env = _make("Walker2d-v5", **kwargs)
    _model(env).geom_friction[:, 0] *= factor  # of floor and feet, since MuJoCo takes the larger of the two
    return env


def _make(id_: str, **kwargs: Any) -> gym.Env[Any, Any]:
    need("mujoco", "mujoco")
    return gym.make(id_, disable_env_checker=True, **kwargs)


def _model(env: gym.Env[Any, Any]) -> Any:
    """Return the environment's own MjModel, which it shares with no other and which a reset does not change."""
    return env.unwrapped.model  # type: ignore[attr-defined]


def _unit_vector(name: str, degrees: float) -> dict[str, float]:
    """Return two numbers, so that 359 degrees is close to 0."""
    return {f"{name}-x": cos(radians(degrees)), f"{name}-y": sin(radians(degrees))}


CHEETAH_VELOCITY = Family(
    name="cheetah-velocity",
    parameter="velocity",
    unit="m/s",
    minimum=0.1,
    maximum=10.0,
    training=(0.5, 1.0, 1.5, 2.0, 2.5, 3.0),
    held_out=(0.25, 1.25, 2.25, 3.5),
    sentence="Make the cheetah run forward at a speed of {value} m/s.",
    make=cheetah_at_velocity,
)

CHEETAH_GRAVITY = Family(
    name="cheetah-gravity",
    parameter="gravity",
    unit="m/s^2",
    minimum=1.0,
    maximum=25.0,
    training=(4.0, 6.0, 8.0, 10.0, 12.0, 14.0),
    held_out=(3.0, 5.0, 11.0, 16.0),
    sentence="Make the cheetah run forward as fast as it can where gravity is {value} m/s^2.",
    make=cheetah_under_gravity,
)

ANT_DIRECTION = Family(
    name="ant-direction",
    parameter="direction",
    unit="degrees",
    minimum=0.0,
    maximum=359.0,
    training=(0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0),
    held_out=(45.0, 135.0, 210.0, 270.0),
    sentence="Make the ant run in the direction {value} degrees anticlockwise from the x axis.",
    make=ant_in_direction,
    numbers=_unit_vector,
)

HOPPER_MASS = Family(
    name="hopper-mass",
    parameter="mass",
    unit="times the usual",
    minimum=0.25,
    maximum=4.0,
    training=(0.5, 0.75, 1.0, 1.25, 1.5, 2.0),
    held_out=(0.4, 0.9, 1.75, 2.5),
    sentence="Make the hopper hop forward as fast as it can with {value} times its usual mass.",
    make=hopper_of_mass,
)

WALKER_FRICTION = Family(
    name="walker-friction",
    parameter="friction",
    unit="times the usual",
    minimum=0.1,
    maximum=4.0,
    training=(0.4, 0.6, 0.8, 1.0, 1.5, 2.0),
    held_out=(0.3, 0.7, 1.25, 3.0),
    sentence="Make the walker walk forward as fast as it can where friction is {value} times the usual.",
    make=walker_on_friction,
)


def cheetah_velocity(argument: str = "") -> TaskSuite:
    """Return the suite ``cheetah-velocity``: six target speeds, or your own from 0.1 to 10 m/s."""
    return CHEETAH_VELOCITY.suite(argument)


def cheetah_gravity(argument: str = "") -> TaskSuite:
    """Return the suite ``cheetah-gravity``: six gravities, or your own from 1 to 25 m/s^2."""
    return CHEETAH_GRAVITY.suite(argument)


def ant_direction(argument: str = "") -> TaskSuite:
    """Return the suite ``ant-direction``: seven directions, or your own from 0 to 359 degrees."""
    return ANT_DIRECTION.suite(argument)


def hopper_mass(argument: str = "") -> TaskSuite:
    """Return the suite ``hopper-mass``: six masses, or your own from 0.25 to 4 times the usual."""
    return HOPPER_MASS.suite(argument)


def walker_friction(argument: str = "") -> TaskSuite:
    """Return the suite ``walker-friction``: six frictions, or your own from 0.1 to 4 times the usual."""
    return WALKER_FRICTION.suite(argument)
