"""Scores: means over deterministic episodes of every task, in environments used for nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from envs.suite import TaskSuite
from mtrl.endless import EpisodeLimit
from mtrl.episodes import Episode, success_rate
from mtrl.tensor_env import TensorEnv

Policy = Callable[[Tensor], Tensor]  # (T, N, obs) -> (T, N, A)
MAX_ENVIRONMENTS = 40  # in all, but at least one per task: each takes memory of its own
MAX_SIMULATED = 200  # per task: a simulator steps many for the price of one
RARE = 0.1  # below this success rate, returns tell agents apart
MEASURES = ("success_any", "success_last", "return")


@dataclass(frozen=True)
class TaskScore:
    """The score of a policy on one task: means over its evaluation episodes.

    Args:
        success_any: Fraction of episodes with success at any step; NaN if the task reports no success.
        success_last: Fraction of episodes with success at their last step; NaN if the task reports no success.
        mean_return: Mean undiscounted return.
        episodes: Number of episodes.

    Example:
        >>> mtrl.TaskScore(success_any=0.9, success_last=0.8, mean_return=41.5, episodes=20).value
        0.9
    """

    success_any: float
    success_last: float
    mean_return: float
    episodes: int

    @classmethod
    def of(cls, episodes: Sequence[Episode]) -> TaskScore:
        """Average finished episodes of one task."""
        return cls(
            success_rate([e.success_any for e in episodes]),
            success_rate([e.success_last for e in episodes]),
            float(np.mean([e.total for e in episodes])),
            len(episodes),
        )

    @property
    def value(self) -> float:
        """Success at any step, or the return if the task reports no success."""
        return self.mean_return if math.isnan(self.success_any) else self.success_any

    def to_json(self) -> dict[str, float | int | None]:
        """Return the entry of ``result.json``; unknown success is null."""
        return {
            "success_any": _known(self.success_any),
            "success_last": _known(self.success_last),
            "return": self.mean_return,
            "episodes": self.episodes,
        }


def mean_score(scores: dict[str, TaskScore]) -> dict[str, float | None]:
    """Return the means over tasks, of success over those that report it."""

    def mean(values: list[float]) -> float | None:
        known = [value for value in values if not math.isnan(value)]
        return float(np.mean(known)) if known else None

    rows = list(scores.values())
    columns = ([r.success_any for r in rows], [r.success_last for r in rows], [r.mean_return for r in rows])
    return {name: mean(column) for name, column in zip(MEASURES, columns, strict=True)}


def scores_to_json(scores: dict[str, TaskScore]) -> dict[str, Any]:
    """Return ``{"mean": ..., "tasks": ...}`` as ``result.json`` holds them."""
    return {"mean": mean_score(scores), "tasks": {name: score.to_json() for name, score in scores.items()}}


class Scorer:
    """Scores policies on a suite, always from the same starts: the environments are its own and are reset each time.

    ``episodes`` is a number for all tasks, or one for each. ``each_start`` takes a task's fixed starts in turn, so that
    as many episodes as it has play each exactly once. ``processes`` are ``workers`` and ``timeout`` of ``TensorEnv``;
    an episode that is lost to a failure is played again.
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
        wanted = [episodes] * len(suite.tasks) if isinstance(episodes, int) else episodes
        # A simulator that scores are not taken from is another library's engine, an environment a row like any other.
        light = suite.simulator is not None and not suite.score_in_environments
        limit = MAX_SIMULATED if light else max(1, MAX_ENVIRONMENTS // len(suite.tasks))
        copies = min(max(wanted), limit)
        self.suite, self.seed, self.each_start = suite, seed, each_start
        self.env = TensorEnv(suite, copies, device, **processes)
        # Each copy plays a number of episodes fixed in advance, so that short ones do not count more often. Copy k's
        # are numbers k, k + copies, k + 2 copies, ... of the task's, which is also how it goes through fixed starts.
        self._quotas = [[len(range(copy, n, copies)) for copy in range(copies)] for n in wanted]

    def score(self, policy: Policy, check: Callable[[], None] | None = None) -> dict[str, TaskScore]:
        """Play the episodes -> task name to score. ``check`` is called before each step, and may raise.

        Raises ``SuiteError`` where a task's episodes have no end.
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
        """Return which copies have still episodes to play, (T, N) bool."""
        played = np.array([[len(episodes) for episodes in copies] for copies in finished])
        return played < np.array(self._quotas)

    def close(self) -> None:
        """Close the environments."""
        self.env.close()


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
