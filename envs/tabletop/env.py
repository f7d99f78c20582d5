"""One tabletop task as an ordinary Gymnasium environment: the batched simulator with a single row."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from envs.errors import SuiteError, nearest
from envs.tabletop.simulator import ACTION_SIZE, OBS_SIZE, TabletopSimulator
from envs.tabletop.tasks import BY_NAME, TabletopTask
from envs.tabletop.world import DRAWS

ONLY_ROW = np.zeros(1, dtype=np.int64)


class TabletopEnv(gym.Env[np.ndarray, np.ndarray]):
    """A hand with a gripper on a table; see ``TabletopSimulator`` for what the 15 observations and 3 actions mean.

    The reward lies in [0, 1] and is 1 where the task is solved; ``info`` has ``success`` and ``is_success``.
    ``task`` is one of the ten names, or a task of your own. Raises ``SuiteError`` for an unknown name.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (declared so by gymnasium.Env)
        "render_modes": ["rgb_array"],
        "render_fps": 20,
    }

    def __init__(self, task: str | TabletopTask, render_mode: str | None = None) -> None:
        if isinstance(task, str) and task not in BY_NAME:
            raise SuiteError(f"unknown tabletop task {task!r}; known: {', '.join(BY_NAME)}.{nearest(task, BY_NAME)}")
        self.render_mode = render_mode
        high = np.ones(OBS_SIZE, dtype=np.float32)
        high[11:] = 2.0  # differences of positions
        low = -high
        low[[3, 8]] = 0.0  # holding, displacement
        self.observation_space = gym.spaces.Box(low, high)
        self.action_space = gym.spaces.Box(-1.0, 1.0, (ACTION_SIZE,))
        self._simulator = TabletopSimulator([BY_NAME[task] if isinstance(task, str) else task])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Draw a new start; return the observation (15,) and an empty info."""
        super().reset(seed=seed)
        self._simulator.begin(ONLY_ROW, self.np_random.random((1, DRAWS)))
        return self._simulator.observe()[0], {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Apply one action (3,) in [-1, 1]."""
        step = self._simulator.step(np.asarray(action)[None])
        success = bool(step.success[0])
        info = {"success": float(success), "is_success": success}
        return step.obs[0], float(step.reward[0]), False, bool(step.truncated[0]), info

    def render(self) -> Any:
        """Return a (256, 256, 3) uint8 picture if ``render_mode`` is ``rgb_array``, else None."""
        return self._simulator.render([0])[0] if self.render_mode == "rgb_array" else None
