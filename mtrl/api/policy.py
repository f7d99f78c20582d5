"""A trained policy as an object: maps one or many observations to actions of the task's own environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from envs.errors import nearest
from envs.spaces.excess import warn_of_action
from envs.spaces.task_spaces import TaskSpaces, spaces_of
from envs.suite import TaskSuite
from mtrl.errors import UsageError
from mtrl.policies.trained import Player
from mtrl.scoring import scores


class Policy:
    """The trained policy of a run, for all of its tasks; ``mtrl.load`` returns it.

    Attributes:
        suite: The suite that it was trained on.
        tasks: The names of its tasks, in order.
        device: The device that it runs on.

    Example:
        >>> policy = mtrl.load("runs/tabletop/care/seed0")
        >>> env = gymnasium.make("mtrl/TabletopPush-v0")
        >>> obs, _ = env.reset(seed=0)
        >>> action, _ = policy.predict(obs, task="push")
        >>> obs, reward, terminated, truncated, info = env.step(action)
    """

    def __init__(self, suite: TaskSuite, play: Player, device: torch.device) -> None:
        self.suite, self.tasks, self.device = suite, suite.task_names, device
        self._play = play
        self._spaces: dict[str, TaskSpaces] = {}

    def predict(self, obs: Any, task: str | None = None, deterministic: bool = True) -> tuple[np.ndarray, None]:
        """Return actions for a task's own environment, with the signature of Stable-Baselines3's ``predict``.

        Args:
            obs: One observation of that environment, (obs,) if it is flat, or a batch, (N, obs), without padding.
            task: The task's name; optional if the run has only one.
            deterministic: Return the squashed mean rather than a sample.

        Returns:
            The action, (action,) or (N, action), within that environment's bounds and of its dtype; and None, as there
            is no recurrent state.

        Raises:
            UsageError: The run has no such task.
            SuiteError: The observation does not fit the environment's observation space.

        Example:
            >>> actions, _ = policy.predict(np.stack([obs, obs]), task="push", deterministic=False)
        """
        number = self._number(task)
        spaces = self._spaces_of(number)
        rows, single = spaces.rows(obs)
        if not len(rows):
            return spaces.action.unscaled(np.zeros((0, spaces.action.size), np.float32)), None
        scaled = self._act(torch.as_tensor(rows, device=self.device)[None], [number], explore=not deterministic)[0]
        own = scaled[:, : spaces.action.size].cpu().numpy()
        warn_of_action(self.tasks[number], own)
        action = spaces.action.unscaled(own)
        return action[0] if single else action, None

    def on(self, tasks: Sequence[str]) -> scores.Policy:
        """Return the deterministic policy for several tasks at once.

        Args:
            tasks: T task names, in the order of the leading axis.

        Returns:
            A function from observations (T, N, obs), zero-padded or not, to actions (T, N, action) in [-1, 1].

        Raises:
            UsageError: The run has no such task.

        Example:
            >>> act = policy.on(["push", "reach"])
            >>> act(torch.as_tensor(obs).expand(2, 5, -1)).shape[:2]
            torch.Size([2, 5])
        """
        numbers = [self._number(task) for task in tasks]
        return lambda obs: self._act(obs.to(self.device), numbers, explore=False).to(obs.device)

    @torch.no_grad()
    def _act(self, obs: Tensor, tasks: Sequence[int], explore: bool) -> Tensor:
        return self._play(obs, tasks, explore)

    def _number(self, task: str | None) -> int:
        if task is None and len(self.tasks) == 1:
            return 0
        if task not in self.tasks:
            hint = nearest(task, self.tasks) if task else ""
            raise UsageError(f"unknown task {task!r}; the policy was trained on {', '.join(self.tasks)}.{hint}")
        return self.tasks.index(task)

    def _spaces_of(self, number: int) -> TaskSpaces:
        """Return the spaces of a task's environment, which is created on first use."""
        name = self.tasks[number]
        if name not in self._spaces:
            self._spaces[name] = spaces_of(self.suite.tasks[number])
        return self._spaces[name]
