"""Whether a suite reports the success that a sampler relies on."""

from __future__ import annotations

import math
from contextlib import closing
from typing import Any

import torch

from agents.base import Agent
from agents.registry.compose import pieces_named, pieces_of
from envs.suite import TaskSuite
from mtrl.config import TrainConfig, agent_spec
from mtrl.errors import UsageError
from mtrl.scoring.scorer import Scorer
from mtrl.training.assemble import EVALUATION, greedy, processes_of, score_seed


def check_success(config: TrainConfig[Any], suite: TaskSuite, agent: Agent, device: torch.device) -> None:
    """Raise ``UsageError`` where a run's sampler goes by success and a task reports none.

    Only an episode shows it, so one of each task is played where there is such a sampler.
    """
    sampler = pieces_of(agent_spec(config.agent), pieces_named(config.settings)).get("sampler")
    if sampler is None or not sampler.needs_success:
        return
    with closing(Scorer(suite, 1, score_seed(config.seed, EVALUATION), device, **processes_of(config))) as scorer:
        scores = scorer.score(greedy(agent))
    silent = [name for name, score in scores.items() if math.isnan(score.success_any)]
    if silent:
        raise UsageError(
            f"sampler {sampler.name!r} goes by success, which task {silent[0]!r} of suite {suite.name!r} does not "
            "report; use --sampler learning-progress or widen-by-return, which take returns, or have info['success'] "
            "say it"
        )
