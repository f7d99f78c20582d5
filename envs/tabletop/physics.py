"""Quasi-static contact in the plane: what one action does to the hand and to the body on the table.

The hand is a disc. It pushes the body along the contact normal; the body moves as far as its joint allows; the
remaining overlap pushes the hand back, so a blocked hand stops. A gripper that shuts on a handle moves with it.
"""

from __future__ import annotations

from typing import Any

from envs.tabletop.tasks import GRIP_SHUT, GRIP_SLACK, GRIP_SPEED, HAND_RADIUS, HOLE_TOLERANCE
from envs.tabletop.world import State, World, clamp, dot

Array = Any
SUBSTEPS = 2  # half a step moves the hand less than a contact distance, so it cannot pass through a body


def heading_of(world: World, state: State) -> Array:
    """Return the capsule's direction, (n, 2): fixed, or turned towards the hand's side by a hinge's displacement."""
    xp = world.xp
    turned = xp.stack([xp.cos(state.displacement), -xp.sin(state.displacement)], axis=-1)
    return xp.where(world.hinge[:, None], turned, world.heading)


def middle_of(world: World, state: State, heading: Array) -> Array:
    """Return the capsule's middle, (n, 2)."""
    return state.base + world.axis * state.displacement[:, None] + heading * world.hinge_arm[:, None]


def handle_of(world: World, state: State) -> Array:
    """Return the point that a gripper holds, (n, 2)."""
    heading = heading_of(world, state)
    return middle_of(world, state, heading) + heading * world.grip_at[:, None]


def advance(world: World, state: State, action: Array) -> None:
    """Apply one action, (n, 3) in [-1, 1]: dx, dy, and shutting (+) or opening (-) the gripper."""
    xp = world.xp
    before = state.aperture
    state.aperture = clamp(xp, before - GRIP_SPEED * action[:, 2], 0.0, 1.0)
    shut = state.aperture < GRIP_SHUT
    state.holding = state.holding & shut
    state.displacement = state.displacement * (1.0 - world.spring)
    motion = action[:, :2] * (world.hand_speed / SUBSTEPS)[:, None]
    for _ in range(SUBSTEPS):
        _move(world, state, motion)
    _take_hold(world, state, shut & (before >= GRIP_SHUT))


def _take_hold(world: World, state: State, closing: Array) -> None:
    xp = world.xp
    offset = state.hand - handle_of(world, state)
    reach = HAND_RADIUS + world.radius + GRIP_SLACK
    caught = closing & world.graspable & (dot(offset, offset) <= reach * reach)
    state.offset = xp.where(caught[:, None], offset, state.offset)
    state.holding = state.holding | caught


def _move(world: World, state: State, motion: Array) -> None:
    """Move the hand by ``motion`` (n, 2), and the body with or ahead of it."""
    xp = world.xp
    held = state.holding[:, None]
    heading = heading_of(world, state)
    hand = _on_table(world, state, state.hand + motion)
    motion = hand - state.hand  # what a held body follows
    along, _, overlap, normal = _contact(world, state, heading, hand)
    push = xp.where(held, motion, -normal * xp.maximum(overlap, 0.0)[:, None]) * world.give[:, None]
    lever = xp.where(state.holding, world.grip_at, along) + world.half_length
    # Along a joint, only the part of the push that the joint allows counts.
    turn = (-heading_turn(heading, push)) / xp.maximum(lever, 0.05)
    shift = xp.where(world.hinge, turn, dot(push, world.axis))
    state.displacement = clamp(xp, state.displacement + shift, 0.0, world.travel)
    state.base = _confine(world, state, state.base, state.base + push * world.free_weight[:, None])

    heading = heading_of(world, state)
    middle = middle_of(world, state, heading)
    grip = middle + heading * world.grip_at[:, None]
    _, _, overlap, normal = _contact(world, state, heading, hand, middle)
    pushed_back = hand + normal * xp.maximum(overlap, 0.0)[:, None]
    state.hand = xp.where(held, grip + state.offset, _on_table(world, state, pushed_back))


def heading_turn(heading: Array, push: Array) -> Array:
    """Return the part of ``push`` across ``heading``, counter-clockwise positive: (n, 2), (n, 2) -> (n,)."""
    return heading[:, 0] * push[:, 1] - heading[:, 1] * push[:, 0]


def _contact(
    world: World, state: State, heading: Array, hand: Array, middle: Array | None = None
) -> tuple[Array, Array, Array, Array]:
    """Return the nearest point of the capsule: its position along the heading, distance, overlap and normal."""
    xp = world.xp
    middle = middle_of(world, state, heading) if middle is None else middle
    apart = hand - middle
    along = clamp(xp, dot(apart, heading), -world.half_length, world.half_length)
    apart = apart - heading * along[:, None]
    distance = xp.sqrt(dot(apart, apart) + 1e-12)
    return along, distance, HAND_RADIUS + world.radius - distance, apart / distance[:, None]


def _on_table(world: World, state: State, hand: Array) -> Array:
    xp = world.xp
    hand = clamp(xp, hand, -1.0, 1.0)
    ceiling = state.base[:, 1] + world.wall - HAND_RADIUS
    return xp.stack([hand[:, 0], xp.minimum(hand[:, 1], ceiling)], axis=-1)


def _confine(world: World, state: State, old: Array, new: Array) -> Array:
    """Keep a free body on the table, on its side of the rim unless held, and out of the box except for the hole."""
    xp = world.xp
    inner = 1.0 - world.radius
    across = inner - world.half_length * xp.abs(world.heading[:, 0])  # a peg's ends stay on the table too
    x = clamp(xp, new[:, 0], -across, across)
    y = clamp(xp, new[:, 1], -inner, inner)

    over = old[:, 1] > world.rim
    below_rim = xp.minimum(y, world.rim - world.radius)
    above_rim = xp.maximum(y, world.rim + world.radius)
    y = xp.where(state.holding, y, xp.where(over, above_rim, below_rim))

    wall = state.goal[:, 0] - world.box_depth
    inside = old[:, 0] + world.half_length > wall + 1e-9
    centred = clamp(xp, y, state.goal[:, 1] - HOLE_TOLERANCE, state.goal[:, 1] + HOLE_TOLERANCE)
    enters = inside | (state.holding & (xp.abs(y - state.goal[:, 1]) <= HOLE_TOLERANCE))
    limit = xp.where(enters, state.goal[:, 0], wall) - world.half_length
    x = xp.where(world.has_box, xp.minimum(x, limit), x)
    y = xp.where(world.has_box & inside, centred, y)

    return xp.where(world.free[:, None], xp.stack([x, y], axis=-1), old)
