"""A multi-task vector environment with tensors (T, N, ...) on the learner's device as inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import array_api_compat.torch as array_torch
import numpy as np
import torch
from torch import Tensor

from envs.stepping.vector import MultiTaskVectorEnv
from envs.stepping.workers import TIMEOUT
from envs.suite import TaskSuite
from mtrl.rollout.episodes import Episode, finished_episodes


class Transition(NamedTuple):
    """The result of a step of every copy of every task."""

    obs: Tensor  # (T, N, obs) to act on next: after the end of an episode, the first of the next one
    final_obs: Tensor  # (T, N, obs) the true successor
    reward: Tensor  # (T, N)
    terminated: Tensor  # (T, N) bool
    ended: Tensor  # (T, N) bool: terminated or truncated
    lost: Tensor | None = None  # (T, N) bool: rows whose environment failed; their values are meaningless
    episodes: Sequence[Episode] = ()  # those that ended, without lost ones

    @property
    def kept(self) -> Tensor | slice:
        """The copies, (N,) bool, whose step is valid for every task; replay stores the tasks' rows together."""
        return slice(None) if self.lost is None else ~self.lost.any(dim=0)

    @property
    def lost_rows(self) -> int:
        """The number of lost rows."""
        return 0 if self.lost is None else int(self.lost.sum())


class TensorEnv:
    """Steps a suite: its own simulator computes on ``device``, other environments on the CPU."""

    def __init__(
        self,
        suite: TaskSuite,
        copies: int,
        device: torch.device,
        in_torch: bool | None = None,
        workers: int = 0,
        timeout: float = TIMEOUT,
        on_call: Callable[[int, str], None] | None = None,
    ) -> None:
        """``in_torch`` makes a suite's simulator compute on tensors; by default it does unless the device is the CPU.

        ``workers``, ``timeout`` and ``on_call`` are those of ``MultiTaskVectorEnv``; failed environments are restarted.
        """
        self.device = device
        use_torch = device.type != "cpu" if in_torch is None else in_torch
        self._in_torch = use_torch and suite.simulator is not None
        arrays: dict[str, Any] = {"xp": array_torch, "device": device} if self._in_torch else {}
        self.env = MultiTaskVectorEnv(
            suite, copies, workers=workers, timeout=timeout, restart_failed=True, on_call=on_call, **arrays
        )
        self.tasks, self.copies, self.workers = self.env.num_tasks, copies, self.env.workers
        self.obs_size, self.action_size = self.env.engine.obs_size, self.env.engine.action_size
        self.action_mask = torch.as_tensor(self.env.action_mask)
        self.steps_on_host = not self._in_torch

    def reset(self, seed: int, each_start: bool = False) -> Tensor:
        """Start an episode in every copy, return obs (T, N, obs); ``each_start`` uses a task's fixed starts in turn."""
        return self._tensor(self.env.reset(seed=seed, options={"each_start": each_start})[0])

    def step(self, action: Tensor) -> Transition:
        """Apply actions (T, N, A) in [-1, 1]."""
        flat = action.reshape(self.env.num_envs, -1)
        obs, reward, terminated, _, info = self.env.step(flat if self._in_torch else flat.cpu().numpy())
        return Transition(
            obs=self._tensor(obs),
            final_obs=self._tensor(info["final_obs"]),
            reward=self._tensor(reward),
            terminated=self._tensor(terminated),
            ended=self._tensor(info["_final_obs"]),
            lost=self._tensor(info["lost"]) if "lost" in info else None,
            episodes=finished_episodes(info, self.copies),
        )

    def open_lengths(self) -> np.ndarray:
        """Return the number of steps in the running episode of every copy of every task, (T, N) int."""
        return self.env.split(self.env.open_lengths)

    def random_action(self, generator: np.random.Generator) -> Tensor:
        """Draw uniform actions (T, N, A), zero in the dimensions that a task does not have."""
        draws = generator.uniform(-1.0, 1.0, (self.tasks, self.copies, self.action_size)).astype(np.float32)
        return torch.as_tensor(draws * self.env.action_mask[:, None, :], device=self.device)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the ``MultiTaskVectorEnv``."""
        return self.env.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> Tensor:
        """Restore the result of ``state_dict``; return the observations to act on, (T, N, obs)."""
        return self._tensor(self.env.load_state_dict(state))

    def close(self) -> None:
        """Close the environments."""
        self.env.close()

    def _tensor(self, rows: Any) -> Tensor:
        return torch.as_tensor(self.env.split(rows), device=self.device)
