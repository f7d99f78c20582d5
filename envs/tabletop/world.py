"""The inputs of the physics: the tasks as arrays, one row per copy, and the state that changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from envs.tabletop.tasks import HAND_SPEED, TabletopTask

Array = Any
DRAWS = 7  # uniform numbers an episode starts from: hand x y, base x y, goal x y, joint displacement


@dataclass(frozen=True)
class World:
    """What each row's task fixes: arrays with n rows, in the namespace ``xp``."""

    xp: Any
    free: Array  # (n,) bool, as the next two; a free body's goal is a place, a joint's a displacement
    hinge: Array
    graspable: Array
    free_weight: Array  # (n,) 1 where the body is free, so that a push moves its base
    hinge_arm: Array  # (n,) half length where the base is a hinge, else 0
    axis: Array  # (n, 2)
    way: Array  # (n, 2) along the axis, towards the target displacement
    heading: Array  # (n, 2)
    half_length: Array  # (n,) as all below
    radius: Array
    travel: Array
    travel_or_one: Array
    spring: Array
    give: Array  # share of a push that moves the body
    grip_at: Array
    wall: Array
    rim: Array
    box_depth: Array
    has_box: Array  # (n,) bool
    hand_is_tool: Array  # (n,) bool: the hand itself must be at the goal
    by_grip: Array  # (n,) bool: the hand must hold the body
    from_behind: Array  # (n,) bool: the hand must push the body
    target: Array
    tolerance: Array
    hand_within: Array
    hand_speed: Array
    side: Array  # (n,) -1 if right and left are exchanged, else 1
    goal_shown: Array  # (n,) 1 if the observation has the goal, else 0
    low: Array  # (n, DRAWS)
    high: Array  # (n, DRAWS)

    @classmethod
    def of(cls, rows: Sequence[TabletopTask], xp: Any, device: Any) -> World:
        """Arrange the tasks of ``rows`` as arrays of ``xp`` on ``device``."""

        def column(values: Sequence[Any], dtype: Any = np.float64) -> Array:
            return xp.asarray(np.asarray(values, dtype=dtype), device=device)

        scenes = [row.scene for row in rows]
        bounds = [
            ((-0.5, 0.5), (-0.8, -0.5), s.base_x, s.base_y, s.goal_x, s.goal_y, t.start)
            for t, s in zip(rows, scenes, strict=True)
        ]
        return cls(
            xp=xp,
            free=column([s.joint == "free" for s in scenes], bool),
            hinge=column([s.joint == "hinge" for s in scenes], bool),
            graspable=column([t.graspable for t in rows], bool),
            free_weight=column([float(s.joint == "free") for s in scenes]),
            hinge_arm=column([s.half_length if s.joint == "hinge" else 0.0 for s in scenes]),
            axis=column([s.axis for s in scenes]),
            way=column([np.multiply(t.scene.axis, 1.0 if t.target > 0 else -1.0) for t in rows]),
            heading=column([s.heading for s in scenes]),
            half_length=column([s.half_length for s in scenes]),
            radius=column([s.radius for s in scenes]),
            travel=column([s.travel for s in scenes]),
            travel_or_one=column([s.travel or 1.0 for s in scenes]),
            spring=column([s.spring for s in scenes]),
            give=column([1.0 - s.drag for s in scenes]),
            grip_at=column([s.grip_at for s in scenes]),
            wall=column([s.wall for s in scenes]),
            rim=column([t.rim_y for t in rows]),
            box_depth=column([s.box_depth for s in scenes]),
            has_box=column([s.box_depth > 0 for s in scenes], bool),
            hand_is_tool=column([t.approach == "goal" for t in rows], bool),
            by_grip=column([t.approach == "grip" for t in rows], bool),
            from_behind=column([t.approach == "behind" for t in rows], bool),
            target=column([t.target for t in rows]),
            tolerance=column([t.tolerance for t in rows]),
            hand_within=column([t.hand_within for t in rows]),
            hand_speed=column([HAND_SPEED * t.speed for t in rows]),
            side=column([-1.0 if t.mirrored else 1.0 for t in rows]),
            goal_shown=column([float(t.scene.joint == "free" and t.goal_shown) for t in rows]),
            low=column([[r[0] for r in b] for b in bounds]),
            high=column([[r[1] for r in b] for b in bounds]),
        )


@dataclass
class State:
    """What moves: arrays with n rows. ``base`` is the free body's middle, or the fixed zero of a joint."""

    hand: Array  # (n, 2)
    aperture: Array  # (n,) 0 shut .. 1 open
    holding: Array  # (n,) bool
    offset: Array  # (n, 2) hand minus handle while holding
    base: Array  # (n, 2)
    displacement: Array  # (n,) of the joint
    goal: Array  # (n, 2)
    start_distance: Array  # (n,) distance left when the episode began
    age: Array  # (n,) int64 steps since then


def dot(a: Array, b: Array) -> Array:
    """Return the inner products of rows of plane vectors: (n, 2), (n, 2) -> (n,)."""
    return a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1]


def clamp(xp: Any, values: Array, low: Array | float, high: Array | float) -> Array:
    """Limit ``values``; in place of ``clip``, whose argument checks cost several times the work on small arrays."""
    return xp.minimum(xp.maximum(values, low), high)
