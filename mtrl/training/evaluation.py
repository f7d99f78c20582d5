"""Evaluating the policy during training: scores are logged and passed on to listeners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from agents.base import Agent
from agents.samplers import Sampler
from mtrl.scoring.scorer import Scorer
from mtrl.tracking.metrics import MetricsWriter
from mtrl.training.assemble import greedy
from mtrl.training.moment import Moment


class Evaluation:
    """A callback that scores an agent; ``listeners`` are called with the means over tasks, by measure."""

    def __init__(
        self,
        agent: Agent,
        scorer: Scorer,
        sampler: Sampler,
        report: MetricsWriter,
        listeners: Sequence[Callable[[Mapping[str, float | None]], None]],
        check: Callable[[], None] | None = None,
        inspect: Callable[[Tensor], dict[str, Tensor]] | None = None,
    ) -> None:
        """``check`` is called before each evaluation step, and may raise.

        ``inspect`` replaces the agent's own when only some of its tasks are stepped.
        """
        self._check, self._inspect = check, inspect or agent.inspect
        self._agent, self._scorer, self._sampler = agent, scorer, sampler
        self._observe_returns: Callable[[Tensor], Any] | None = getattr(sampler, "observe_returns", None)
        self._report, self._listeners = report, listeners

    def __call__(self, now: Moment) -> None:
        """Evaluate the agent as it is now."""
        scores = self._scorer.score(greedy(self._agent), self._check)
        self._sampler.observe_scores(torch.tensor([score.value for score in scores.values()]))
        if self._observe_returns:
            self._observe_returns(torch.tensor([score.mean_return for score in scores.values()]))
        means = self._report.evaluation(now.span.step, scores, self._inspect(now.transition.obs))
        for listener in self._listeners:
            listener(means)
