"""What an evaluation during training hands on."""

from __future__ import annotations

import math
from unittest.mock import MagicMock

from mtrl.scoring.scores import TaskScore
from mtrl.training.evaluation import Evaluation


def test_a_sampler_is_told_success_where_tasks_report_it_and_returns_if_it_asks_for_them() -> None:
    sampler, scorer = MagicMock(), MagicMock()
    scorer.score.return_value = {"push": TaskScore(0.5, 0.5, -30.0, 4), "swing": TaskScore(math.nan, math.nan, -7.0, 4)}
    Evaluation(MagicMock(), scorer, sampler, MagicMock(), [])(MagicMock())
    assert sampler.observe_scores.call_args.args[0].tolist() == [0.5, -7.0]
    assert sampler.observe_returns.call_args.args[0].tolist() == [-30.0, -7.0]


def test_a_sampler_need_not_take_returns() -> None:
    sampler, scorer = MagicMock(spec=["observe_scores"]), MagicMock()
    scorer.score.return_value = {"push": TaskScore(0.5, 0.5, -30.0, 4)}
    Evaluation(MagicMock(), scorer, sampler, MagicMock(), [])(MagicMock())
    assert sampler.observe_scores.call_args.args[0].tolist() == [0.5]
