"""A scripted expert per task, from the observation alone: the proof that every task can be solved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from envs.tabletop.tasks import BY_NAME, HAND_RADIUS, HAND_SPEED, TabletopTask

OPEN, SHUT = -1.0, 1.0


def expert_action(task_name: str, obs: np.ndarray) -> np.ndarray:
    """Return the expert's actions, (n, 3), for observations (n, 15) of one task."""
    task = BY_NAME[task_name]
    rule = _RULES.get(task_name, _push_along if task.approach == "behind" else _pull)
    return np.stack([rule(task, _View(row)) for row in obs]).astype(np.float32)


class _View:
    """One observation by name."""

    def __init__(self, obs: np.ndarray) -> None:
        self.hand = obs[0:2].astype(np.float64)
        self.open = bool(obs[2] >= 0.0)
        self.holding = bool(obs[3] > 0.5)
        self.handle = obs[4:6].astype(np.float64)
        self.heading = obs[6:8].astype(np.float64)
        self.goal = obs[9:11].astype(np.float64)


def _go(view: _View, motion: np.ndarray, grip: float) -> np.ndarray:
    return np.append(np.clip(motion / HAND_SPEED, -1.0, 1.0), grip)


def _reach(task: TabletopTask, view: _View) -> np.ndarray:
    return _go(view, view.goal - view.hand, OPEN)


def _behind(task: TabletopTask, view: _View, direction: np.ndarray) -> np.ndarray:
    """Go round to the side of the handle that faces away from ``direction``, then push along it."""
    contact = HAND_RADIUS + task.scene.radius
    apart = view.hand - view.handle
    side = apart - direction * (apart @ direction)
    ready = apart @ direction < -0.5 * contact
    if ready and np.linalg.norm(side) < 0.5 * contact:
        return _go(view, direction * HAND_SPEED - 0.5 * side, OPEN)
    waypoint = view.handle - direction * (contact + 0.06)
    # In front of the body: pass it at a distance before turning in.
    if apart @ direction > -contact and np.linalg.norm(side) < contact + 0.08:
        away = side / (np.linalg.norm(side) + 1e-9)
        return _go(view, away * HAND_SPEED - direction * 0.2 * HAND_SPEED, OPEN)
    return _go(view, waypoint - view.hand, OPEN)


def _push(task: TabletopTask, view: _View) -> np.ndarray:
    way = view.goal - view.handle
    if np.linalg.norm(way) < 0.03:
        return _go(view, np.zeros(2), OPEN)
    return _behind(task, view, way / np.linalg.norm(way))


def _push_along(task: TabletopTask, view: _View) -> np.ndarray:
    sign = 1.0 if task.target > 0 else -1.0
    return _behind(task, view, sign * np.asarray(task.scene.axis))


def _window(task: TabletopTask, view: _View) -> np.ndarray:
    """Come up beside the handle, then push it along the rail."""
    sign = 1.0 if task.target > 0 else -1.0
    contact = HAND_RADIUS + task.scene.radius
    beside = view.handle[0] - sign * (contact + 0.04)
    if (view.handle[0] - view.hand[0]) * sign > 0.5 * contact and abs(view.hand[1] - view.handle[1]) < 0.08:
        return _go(view, np.array([sign * HAND_SPEED, view.handle[1] - view.hand[1]]), OPEN)
    if abs(view.hand[0] - beside) > 0.03:
        below = view.handle[1] - task.scene.half_length - contact - 0.05
        return _go(view, np.array([beside - view.hand[0], min(0.0, below - view.hand[1])]), OPEN)
    return _go(view, np.array([beside, view.handle[1]]) - view.hand, OPEN)


def _take(task: TabletopTask, view: _View) -> np.ndarray:
    """Go to the handle with an open gripper and shut it there."""
    reach = HAND_RADIUS + task.scene.radius + 0.015
    if np.linalg.norm(view.handle - view.hand) > reach:
        return _go(view, view.handle - view.hand, OPEN)
    return _go(view, np.zeros(2), SHUT if view.open else OPEN)


def _pull(task: TabletopTask, view: _View) -> np.ndarray:
    if not view.holding:
        return _take(task, view)
    if task.scene.joint == "hinge":
        return _go(view, np.array([view.heading[1], -view.heading[0]]), SHUT)  # the way the panel turns
    return _go(view, np.asarray(task.scene.axis), SHUT)


def _pick_place(task: TabletopTask, view: _View) -> np.ndarray:
    return _go(view, view.goal - view.handle, SHUT) if view.holding else _take(task, view)


def _peg_insert(task: TabletopTask, view: _View) -> np.ndarray:
    if not view.holding:
        return _take(task, view)
    tip = view.handle + view.heading * (task.scene.half_length - task.scene.grip_at)
    off = view.goal - tip
    if abs(off[1]) < 0.02:
        return _go(view, off, SHUT)
    before_the_hole = view.goal - np.array([task.scene.box_depth + 0.03, 0.0])
    return _go(view, before_the_hole - tip, SHUT)


_RULES: dict[str, Callable[[TabletopTask, _View], np.ndarray]] = {
    "reach": _reach,
    "push": _push,
    "pick-place": _pick_place,
    "peg-insert": _peg_insert,
    "window-open": _window,
    "window-close": _window,
}
