"""Scores: means worked out by hand, a number of episodes that is fixed per copy, and the same starts each time."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from envs.registry import make_suite
from envs.suite import Task, TaskSuite
from mtrl.rollout.episodes import Episode
from mtrl.scoring import scorer as scores
from mtrl.scoring.scorer import Scorer
from mtrl.scoring.scores import TaskScore, mean_score, scores_to_json
from tests.mtrl.conftest import Scripted, scripted_suite, zeros

CPU = torch.device("cpu")
NAN = math.nan


def growing_copies(*, reward: float = 1.0) -> partial[Scripted]:
    """Make environments one after the other whose episodes last 1, 2, 3, ... steps."""
    lengths = itertools.count(1)
    return partial(lambda: Scripted([reward] * next(lengths), success=()))


def test_a_tasks_score_is_the_mean_over_its_episodes() -> None:
    episodes = [Episode(0, 0, 3.0, 5, 1.0, 0.0), Episode(0, 1, 1.0, 5, 1.0, 1.0), Episode(0, 0, -1.0, 2, 0.0, 0.0)]
    score = TaskScore.of(episodes)
    assert score.success_any == pytest.approx(2 / 3)
    assert score.success_last == pytest.approx(1 / 3)
    assert (score.mean_return, score.episodes) == (1.0, 3)


def test_the_mean_over_tasks_takes_success_from_those_that_say_it() -> None:
    three = {
        "a": TaskScore(1.0, 0.5, 10.0, 4),
        "b": TaskScore(NAN, NAN, 20.0, 4),
        "c": TaskScore(0.0, 0.0, 60.0, 4),
    }
    assert mean_score(three) == {"success_any": 0.5, "success_last": 0.25, "return": 30.0}


def test_unknown_success_is_null_in_json() -> None:
    assert scores_to_json({"a": TaskScore(NAN, NAN, 2.0, 3)}) == {
        "mean": {"success_any": None, "success_last": None, "return": 2.0},
        "tasks": {"a": {"success_any": None, "success_last": None, "return": 2.0, "episodes": 3}},
    }


def test_each_copy_plays_a_number_of_episodes_fixed_in_advance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven episodes on five copies of lengths 1 to 5: the first two copies play two each, however short theirs are."""
    monkeypatch.setattr(scores, "MAX_ENVIRONMENTS", 5)
    scorer = Scorer(TaskSuite("s", [Task("t", growing_copies(), "Do it.")]), 7, 0, CPU)
    score = scorer.score(zeros)["t"]
    assert score.episodes == 7
    assert score.mean_return == pytest.approx((2 * 1 + 2 * 2 + 3 + 4 + 5) / 7)


@pytest.mark.parametrize("episodes", [1, 2, 5, 11])
def test_every_task_is_scored_on_exactly_the_episodes_asked_for(episodes: int) -> None:
    suite = scripted_suite(
        short=partial(Scripted, (1.0,), success=(1.0,)),
        long=partial(Scripted, (0.5,) * 7, "truncated", (0.0,) * 7),
        silent=partial(Scripted, (2.0, 3.0)),
    )
    played = Scorer(suite, episodes, 0, CPU).score(zeros)
    assert {name: score.episodes for name, score in played.items()} == dict.fromkeys(suite.task_names, episodes)
    assert [score.mean_return for score in played.values()] == [1.0, 3.5, 5.0]
    assert [score.success_any for score in played.values()][:2] == [1.0, 0.0]
    assert math.isnan(played["silent"].success_any)


def test_success_is_scored_both_ways() -> None:
    suite = scripted_suite(touch=partial(Scripted, (0.0,) * 3, success=(0.0, 1.0, 0.0)))
    score = Scorer(suite, 2, 0, CPU).score(zeros)["touch"]
    assert (score.success_any, score.success_last) == (1.0, 0.0)


@pytest.mark.parametrize(("tasks", "episodes", "copies"), [(1, 50, 40), (1, 7, 7), (3, 50, 13), (50, 9, 1)])
def test_environments_are_few_in_all_and_at_least_one_of_each_task(tasks: int, episodes: int, copies: int) -> None:
    suite = scripted_suite(**{f"t{k}": Scripted for k in range(tasks)})
    assert Scorer(suite, episodes, 0, CPU).env.copies == copies


def test_a_simulator_is_asked_for_many_copies() -> None:
    suite = make_suite("tabletop").only(["reach"])
    assert Scorer(suite, 50, 0, CPU).env.copies == 50
    assert Scorer(replace(suite, score_in_environments=True), 50, 0, CPU).env.copies == 40


class StartTeller(Scripted):
    """An environment of so many fixed starts: each episode's return is 1, 10, 100, ... by its start."""

    def __init__(self, starts: int) -> None:
        super().__init__()
        self.starts = starts

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        assert seed is not None
        self.start = seed % self.starts
        self.rewards = [0.0] * self.start + [10.0**self.start]  # of unequal length, so that copies drift apart
        return super().reset(seed=seed)


def starting(**starts: int) -> TaskSuite:
    """A suite of tasks with so many fixed starts each."""
    return TaskSuite("s", [Task(n, partial(StartTeller, s or 9), f"Do {n}.", starts=s) for n, s in starts.items()])


@pytest.mark.parametrize("most", [3, 7, 1, 40])
def test_each_fixed_start_is_played_exactly_once(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Seven starts on three copies do not divide; a return of 1,111,111 / 7 takes each of them once."""
    monkeypatch.setattr(scores, "MAX_ENVIRONMENTS", most)
    score = Scorer(starting(t=7), 7, 5, CPU, each_start=True).score(zeros)["t"]
    assert score.mean_return == pytest.approx(1_111_111 / 7, rel=1e-12)


def test_tasks_of_one_suite_may_have_unequal_numbers_of_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "MAX_ENVIRONMENTS", 6)
    played = Scorer(starting(a=7, b=2, c=5), [7, 2, 5], 5, CPU, each_start=True).score(zeros)
    assert [score.mean_return * score.episodes for score in played.values()] == [1_111_111, 11, 11_111]


def test_evaluations_during_training_draw_their_starts() -> None:
    first, other = (Scorer(starting(t=7), 7, seed, CPU).score(zeros)["t"].mean_return for seed in (5, 6))
    assert first != other


@pytest.mark.parametrize("simulator", [True, False])
def test_the_same_policy_scores_the_same_again_and_from_the_same_starts(simulator: bool) -> None:
    suite = make_suite("tabletop").only(["reach", "push"])
    scorer = Scorer(suite if simulator else TaskSuite("plain", suite.tasks), 3, 12, CPU)
    starts: list[Tensor] = []

    def wander(obs: Tensor) -> Tensor:
        starts.append(obs)
        return torch.tanh(obs[..., :3])

    first = scorer.score(wander)
    steps = len(starts)
    second = scorer.score(wander)
    assert first == second
    torch.testing.assert_close(starts[0], starts[steps], atol=0, rtol=0)
    other = Scorer(scorer.suite, 3, 13, CPU)
    assert other.score(wander) != first


def test_scoring_leaves_the_global_generators_alone() -> None:
    scorer = Scorer(make_suite("tabletop").only(["reach"]), 2, 0, CPU)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    scorer.score(lambda obs: torch.zeros(*obs.shape[:2], 3))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
