"""Environments that can render."""

from __future__ import annotations

import os
import sys

from gymnasium.error import DependencyNotInstalled

from envs.errors import MissingExtra, SuiteError, one_line
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import TaskSuite
from mtrl.errors import UsageError

HOW_TO_RENDER = (
    "add a method render() that returns an (H, W, 3) image, accept render_mode='rgb_array' when making the "
    "environment, and list it in metadata['render_modes']"
)


def drawing_env(suite: TaskSuite, flag: str) -> MultiTaskVectorEnv:
    """Create one environment of each task and render it once; ``flag`` is the option that needs it.

    Raises ``UsageError``, naming the task, the flag and the remedy, if one cannot render.
    """
    env = None
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("MUJOCO_GL", "egl")  # MuJoCo would look for a display, which it does not need
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # likewise pygame
    try:
        env = MultiTaskVectorEnv(suite, 1, render_mode="rgb_array")
        env.reset(seed=0)
        env.render()
    except (SuiteError, AttributeError, RuntimeError) as error:
        if env is not None:
            env.close()
        # An environment's own exceptions are SuiteErrors; others mean that a simulator has no render() or fails in it.
        words = str(error) if isinstance(error, SuiteError) else f"suite {suite.name!r}: {one_line(error)}"
        lacks_package = isinstance(error, MissingExtra) or isinstance(error.__cause__, DependencyNotInstalled)
        way_out = "" if lacks_package else f"; {HOW_TO_RENDER}"
        raise UsageError(f"{flag} needs environments that can render: {words}{way_out}") from None
    return env
