"""Play deterministic episodes of every task in separate environments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from envs.suite import TaskSuite
from mtrl.rollout.endless import EpisodeLimit
from mtrl.rollout.episodes import Episode
from mtrl.rollout.tensor_env import TensorEnv
from mtrl.scoring.scores import Policy, TaskScore

MAX_ENVIRONMENTS = 40  # in total, but at least one per task: each takes memory
MAX_SIMULATED = 200  # per task: a simulator steps many at the cost of one


class Scorer:
    """Scores policies on a suite, always from the same starts: it has its own environments and resets them each time.

    ``episodes`` is a number for all tasks, or one per task. ``each_start`` uses a task's fixed starts in turn, so that
    if there are as many episodes as starts, each is played exactly once. ``processes`` has the arguments ``workers``,
    ``timeout`` and ``on_call`` of ``TensorEnv``; an episode lost to a failure is played again.
    """

    def __init__(
        self,
        suite: TaskSuite,
        episodes: int | Sequence[int],
        seed: int,
        device: torch.device,
        each_start: bool = False,
        **processes: Any,
    ) -> None:
        counts = [episodes] * len(suite.tasks) if isinstance(episodes, int) else episodes
        # A simulator that is not used for scores is another library's engine, with one environment per row.
        light = suite.simulator is not None and not suite.score_in_environments
        limit = MAX_SIMULATED if light else max(1, MAX_ENVIRONMENTS // len(suite.tasks))
        copies = min(max(counts), limit)
        self.suite, self.seed, self.each_start = suite, seed, each_start
        self.env = TensorEnv(suite, copies, device, **processes)
        # Each copy plays a number of episodes fixed in advance, so that short ones do not count more often. Copy k
        # plays episodes k, k + copies, k + 2 copies, ... of its task, which is also the order of fixed starts.
        self._quotas = [[len(range(copy, n, copies)) for copy in range(copies)] for n in counts]

    def score(self, policy: Policy, check: Callable[[], None] | None = None) -> dict[str, TaskScore]:
        """Play the episodes and return scores by task name. ``check`` is called before each step, and may raise.

        Raises ``SuiteError`` if a task's episodes do not end.
        """
        finished: list[list[list[Episode]]] = [[[] for _ in quotas] for quotas in self._quotas]
        missing = sum(map(sum, self._quotas))
        limit = EpisodeLimit(self.suite.task_names, self.env.open_lengths)
        obs = self.env.reset(self.seed, self.each_start)
        while missing:
            if check is not None:
                check()
            transition = self.env.step(policy(obs))
            obs = transition.obs
            for episode in transition.episodes:
                mine = finished[episode.task][episode.copy]
                if len(mine) < self._quotas[episode.task][episode.copy]:
                    mine.append(episode)
                    missing -= 1
            limit(lambda: self._unfinished(finished), missing)
        return {
            name: TaskScore.of([episode for copy in copies for episode in copy])
            for name, copies in zip(self.suite.task_names, finished, strict=True)
        }

    def _unfinished(self, finished: list[list[list[Episode]]]) -> np.ndarray:
        """Return which copies still have episodes to play, (T, N) bool."""
        played = np.array([[len(episodes) for episodes in copies] for copies in finished])
        return played < np.array(self._quotas)

    def close(self) -> None:
        """Close the environments."""
        self.env.close()
