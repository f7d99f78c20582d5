"""Every task's remaining distance, success, and dense reward in [0, 1]."""

from __future__ import annotations

from typing import Any

from envs.tabletop.physics import handle_of, heading_of, middle_of
from envs.tabletop.tasks import HAND_RADIUS
from envs.tabletop.world import State, World, clamp, dot

Array = Any


def distance_left(world: World, state: State) -> Array:
    """Return how far the hand, body or joint is from where it should be, (n,): a length, or radians of a hinge."""
    xp = world.xp
    heading = heading_of(world, state)
    tip = middle_of(world, state, heading) + heading * world.half_length[:, None]
    tool = xp.where(world.hand_is_tool[:, None], state.hand, tip)
    apart = state.goal - tool
    return xp.where(world.free, xp.sqrt(dot(apart, apart)), xp.abs(world.target - state.displacement))


def reward_and_success(world: World, state: State) -> tuple[Array, Array]:
    """Return the reward (n,) in [0, 1] and success (n,) bool.

    The reward is 1 if the task is solved. Otherwise it is .15 for the hand being where it must grip or push, .15 for
    holding (the same as the former if nothing is to be held), and .3 times the share of the way that is done. So at
    least 0.4 lies between almost solved and solved: docs/decisions/0002.
    """
    xp = world.xp
    left = distance_left(world, state)
    away = _distance_to_approach(world, state)
    near = 1.0 - 0.5 * (xp.tanh(away) + xp.tanh(6.0 * away))  # noticeable across the table, and steep at contact
    hold = xp.where(world.by_grip, xp.astype(state.holding, near.dtype), near)
    progress = 1.0 - clamp(xp, left / state.start_distance, 0.0, 1.0)
    solved = (left <= world.tolerance) & (away <= world.hand_within)
    return xp.where(solved, xp.ones_like(near), 0.15 * near + 0.15 * hold + 0.3 * progress), solved


def _distance_to_approach(world: World, state: State) -> Array:
    """Return how far the hand is from the goal, from contact with the handle, or from the body's far side."""
    xp = world.xp
    handle = handle_of(world, state)
    to_goal = state.goal - handle
    to_goal = to_goal / xp.sqrt(dot(to_goal, to_goal) + 1e-12)[:, None]
    direction = xp.where(world.free[:, None], to_goal, world.way)
    contact = HAND_RADIUS + world.radius
    behind = handle - direction * contact[:, None]
    point = xp.where(world.from_behind[:, None], behind, handle)
    point = xp.where(world.hand_is_tool[:, None], state.goal, point)
    apart = state.hand - point
    slack = xp.where(world.by_grip, contact, xp.zeros_like(contact))
    return xp.maximum(xp.sqrt(dot(apart, apart)) - slack, 0.0)
