"""A scripted expert per task, which shows that every task can be solved from the observation.

It is also given the position of a zone, which is not observed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from envs.tabletop.tasks import HAND_RADIUS, HAND_SPEED, TabletopTask

OPEN, SHUT = -1.0, 1.0


def expert_action(task: TabletopTask, obs: np.ndarray) -> np.ndarray:
    """Return the expert's actions, (n, 3), for observations (n, 15) of one task."""
    view = _View(task, obs)
    motion, grip = _rule_of(task)(task, view)
    moves = np.clip(motion / view.speed, -1.0, 1.0) * view.side
    return np.column_stack([moves, np.broadcast_to(grip, len(obs))]).astype(np.float32)


class _View:
    """Observations by name, n rows, right and left as in a task that is not mirrored."""

    def __init__(self, task: TabletopTask, obs: np.ndarray) -> None:
        self.side = np.array([-1.0 if task.mirrored else 1.0, 1.0])
        self.hand = obs[:, 0:2] * self.side
        self.open = obs[:, 2] >= 0.0
        self.holding = obs[:, 3] > 0.5
        self.handle = obs[:, 4:6] * self.side
        self.heading = obs[:, 6:8] * self.side
        zone = np.broadcast_to([task.scene.goal_x[0], task.scene.goal_y[0]], self.hand.shape)
        self.goal = obs[:, 9:11] * self.side if task.goal_shown else zone
        self.speed = HAND_SPEED * task.speed


Move = tuple[np.ndarray, np.ndarray | float]  # the motion of the hand (n, 2), and the action of the gripper
Rule = Callable[[TabletopTask, _View], Move]


def _reach(task: TabletopTask, view: _View) -> Move:
    return view.goal - view.hand, OPEN


def _behind(task: TabletopTask, view: _View, direction: np.ndarray) -> Move:
    """Go round to the side of the handle that faces away from ``direction`` (n, 2), then push along it."""
    contact = HAND_RADIUS + task.scene.radius
    apart = view.hand - view.handle
    along = np.sum(apart * direction, axis=1, keepdims=True)
    side = apart - direction * along
    off = np.linalg.norm(side, axis=1, keepdims=True)
    ready = (along < -0.5 * contact) & (off < 0.5 * contact)
    push = direction * view.speed - 0.5 * side
    # In front of the body or beside it: pass it at a distance before turning in.
    aside = np.where(off < contact + 0.08, side / (off + 1e-9) - direction * 0.2, -direction) * view.speed
    waypoint = view.handle - direction * (contact + 0.06)
    return np.where(ready, push, np.where(along > -contact, aside, waypoint - view.hand)), OPEN


def _push(task: TabletopTask, view: _View) -> Move:
    way = view.goal - view.handle
    left = np.linalg.norm(way, axis=1, keepdims=True)
    motion, grip = _behind(task, view, way / (left + 1e-9))
    return np.where(left < 0.03, 0.0, motion), grip


def _push_along(task: TabletopTask, view: _View) -> Move:
    sign = 1.0 if task.target > 0 else -1.0
    return _behind(task, view, np.broadcast_to(sign * np.asarray(task.scene.axis), view.hand.shape))


def _window(task: TabletopTask, view: _View) -> Move:
    """Come up beside the handle, then push it along the rail."""
    sign = 1.0 if task.target > 0 else -1.0
    contact = HAND_RADIUS + task.scene.radius
    (x, y), (handle_x, handle_y) = view.hand.T, view.handle.T
    beside = handle_x - sign * (contact + 0.04)
    ready = ((handle_x - x) * sign > 0.5 * contact) & (np.abs(y - handle_y) < 0.08)
    push = np.column_stack([np.full_like(x, sign * view.speed), handle_y - y])
    below = handle_y - task.scene.half_length - contact - 0.05
    go_round = np.column_stack([beside - x, np.minimum(0.0, below - y)])
    come_up = np.column_stack([beside - x, handle_y - y])
    aside = np.abs(x - beside) > 0.03
    return np.where(ready[:, None], push, np.where(aside[:, None], go_round, come_up)), OPEN


def _take(task: TabletopTask, view: _View) -> Move:
    """Go to the handle from below, clear of the ends of the body, and shut the open gripper there."""
    contact = HAND_RADIUS + task.scene.radius
    way = view.handle - view.hand
    there = np.linalg.norm(way, axis=1) <= contact + 0.015
    aside = np.abs(way[:, :1]) > 0.05
    motion = np.where(aside, way - [0.0, contact + 0.03], way)
    return np.where(there[:, None], 0.0, motion), np.where(there & view.open, SHUT, OPEN)


def _then(task: TabletopTask, view: _View, motion: np.ndarray) -> Move:
    """Grip the handle, then move it by ``motion``."""
    taking, grip = _take(task, view)
    return np.where(view.holding[:, None], motion, taking), np.where(view.holding, SHUT, grip)


def _pull(task: TabletopTask, view: _View) -> Move:
    if task.scene.joint == "hinge":
        return _then(task, view, np.column_stack([view.heading[:, 1], -view.heading[:, 0]]))  # as the panel turns
    return _then(task, view, np.broadcast_to(task.scene.axis, view.hand.shape))


def _pick_place(task: TabletopTask, view: _View) -> Move:
    return _then(task, view, view.goal - view.handle)


def _peg_insert(task: TabletopTask, view: _View) -> Move:
    tip = view.handle + view.heading * (task.scene.half_length - task.scene.grip_at)
    off = view.goal - tip
    before_the_hole = off - [task.scene.box_depth + 0.03, 0.0]
    return _then(task, view, np.where(np.abs(off[:, 1:]) < 0.02, off, before_the_hole))


def _rule_of(task: TabletopTask) -> Rule:
    if task.approach == "goal":
        return _reach
    if task.scene.joint == "free":
        held: Rule = _peg_insert if task.scene.box_depth else _pick_place
        return _push if task.approach == "behind" else held
    if task.approach == "grip":
        return _pull
    return _window if task.scene.axis[0] else _push_along
