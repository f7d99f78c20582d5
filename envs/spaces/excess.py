"""Values that are allowed but rarely intended: rewards too large to learn from, actions outside their bounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from envs.errors import warn_once

LARGEST_REWARD = 1e6  # of a step: returns are a hundred times that, errors are squared, and float32 has seven digits
LARGEST_ACTION = 1.001  # scaled to [-1, 1]; less is rounding


def reward_warning(task: str, reward: np.ndarray) -> str:
    """Return a warning about the largest of some rewards, or an empty string if it is not too large."""
    largest = _farthest(reward)
    if not abs(largest) > LARGEST_REWARD:  # not too large, or NaN
        return ""
    return (
        f"task {task!r}: a reward of {largest:.3g} is beyond {LARGEST_REWARD:,.0f}, where 32-bit numbers get too "
        "coarse to learn from; scale it down, as with gymnasium.wrappers.TransformReward"
    )


def action_warning(task: str, action: np.ndarray) -> str:
    """Return a warning about the action farthest outside [-1, 1], or an empty string if none is outside."""
    farthest = _farthest(action)
    if not abs(farthest) > LARGEST_ACTION:
        return ""
    return (
        f"task {task!r}: an action of {farthest:.3g}, where the task's bounds are scaled to [-1, 1], is clipped to "
        "them; keep the policy's actions within the bounds of the environment's action space"
    )


def warn_of_action(task: str, action: np.ndarray) -> None:
    """Warn once per task that actions, scaled to [-1, 1], are outside and will be clipped."""
    if line := action_warning(task, action):
        warn_once(f"the action of {task}", line)


class Excess:
    """Checks every step of n rows, given their tasks' names, and warns about each task once."""

    def __init__(self, tasks: Sequence[str], action_mask: np.ndarray) -> None:
        """``action_mask``, (n, A) bool, marks the dimensions that a row's task has; the others are cut off."""
        self._tasks, self._mask = tasks, action_mask

    def check(self, action: np.ndarray, reward: np.ndarray) -> None:
        """Check the actions taken (n, A), scaled to [-1, 1], and the resulting rewards (n,)."""
        if np.abs(reward).max() > LARGEST_REWARD:
            for task, own in zip(self._tasks, reward, strict=True):
                if line := reward_warning(task, own):
                    warn_once(f"the reward of {task}", line)
        if np.abs(action).max() > LARGEST_ACTION:
            for task, own in zip(self._tasks, action * self._mask, strict=True):
                warn_of_action(task, own)


def _farthest(values: np.ndarray) -> float:
    """Return the value that is farthest from 0, with its sign; 0 if there is none."""
    flat = np.ravel(values)
    return float(flat[np.abs(flat).argmax()]) if flat.size else 0.0
