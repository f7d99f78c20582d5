"""``mtrl.score``: the same numbers as the command's, for policies of the kit's and for anybody's."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mtrl
from envs import errors
from mtrl import evaluate
from mtrl.api.policy import Policy
from tests.mtrl.conftest import Scripted, read_json, scripted_suite


class Foreign:
    """A policy that is none of the kit's: another one behind ``predict`` alone."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def predict(self, obs: np.ndarray, task: str, deterministic: bool) -> tuple[Any, Any]:
        assert deterministic
        return self._policy.predict(obs, task=task)


def test_scores_are_those_of_the_command_from_the_same_seed(care_run: Path) -> None:
    assert evaluate.main([str(care_run), "--episodes", "2"]) == 0
    told = read_json(care_run / "evaluation.json")["tasks"]
    policy = mtrl.load(care_run)
    for one in (policy, Foreign(policy)):
        scores = mtrl.score(one, policy.suite, episodes=2)
        assert list(scores) == ["reach", "push"]
        for name, score in scores.items():
            assert score.mean_return == pytest.approx(told[name]["return"], rel=1e-4)
            assert (score.success_any, score.episodes) == (told[name]["success_any"], 2)


def test_another_seed_has_other_starts_and_a_suite_may_be_cut_down(care_run: Path) -> None:
    policy = mtrl.load(care_run)
    push = policy.suite.only(["push"])
    first, again, other = (mtrl.score(policy, push, episodes=2, seed=seed) for seed in (1, 1, 2))
    assert list(first) == ["push"]
    assert first == again != other


def test_a_policy_of_ones_own_is_scored_in_the_units_of_its_environments() -> None:
    class Still:
        def predict(self, obs: np.ndarray, task: str, deterministic: bool) -> tuple[Any, None]:
            assert obs.shape[1] == {"a": 1, "b": 3}[task]
            return np.zeros((len(obs), 1)), None

    suite = scripted_suite(a=lambda: Scripted([1.0, 2.0], success=[1, 0]), b=lambda: Scripted([5.0], obs_size=3))
    scores = mtrl.score(Still(), suite, episodes=3)
    assert (scores["a"].mean_return, scores["a"].success_any, scores["a"].success_last) == (3.0, 1.0, 0.0)
    assert scores["b"].mean_return == 5.0
    assert math.isnan(scores["b"].success_any)


def test_no_episode_and_an_unknown_suite_are_refused(care_run: Path) -> None:
    policy = mtrl.load(care_run)
    with pytest.raises(mtrl.UsageError, match="episodes is 0"):
        mtrl.score(policy, policy.suite, episodes=0)
    with pytest.raises(mtrl.SuiteError, match="unknown suite 'tabeltop'"):
        mtrl.score(policy, "tabeltop")


@pytest.mark.parametrize(
    "action", [np.zeros(3), np.zeros((1, 2)), np.full((1, 3), np.nan), None, "left", [[1, 2, np.inf]]]
)
def test_an_action_that_is_none_is_refused_with_its_task(action: Any) -> None:
    class Odd:
        def predict(self, obs: np.ndarray, task: str, deterministic: bool) -> tuple[Any, None]:
            return action, None

    with pytest.raises(mtrl.UsageError, match=r"for task 'reach'; expected finite numbers of shape \(1, 3\)"):
        mtrl.score(Odd(), mtrl.make_suite("tabletop").only(["reach"]), episodes=1)


@pytest.mark.parametrize(
    "wrong", [{"episodes": 1.5}, {"episodes": "3"}, {"episodes": 10**12}, {"seed": -1}, {"seed": True}]
)
def test_numbers_are_held_to_the_ranges_of_the_command(care_run: Path, wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(mtrl.UsageError, match=f"{name} is .*; it must be a whole number from"):
        mtrl.score(mtrl.load(care_run), "tabletop", **wrong)


def test_a_policy_that_leaves_its_bounds_is_warned_of_once_a_task(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wild:
        def predict(self, obs: np.ndarray, task: str, deterministic: bool) -> tuple[Any, None]:
            return np.full((len(obs), 3), 100.0 if task == "push" else 1.0), None

    monkeypatch.setattr(errors, "_warned", set())
    mtrl.score(Wild(), mtrl.make_suite("tabletop").only(["push", "reach"]), episodes=1)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: task 'push': an action of 100, where the task's bounds are scaled to [-1, 1]")


@pytest.mark.parametrize(("obs_size", "actions"), [(2, 1), (4, 1), (3, 2)])
def test_a_task_of_another_size_is_refused(tmp_path: Path, obs_size: int, actions: int) -> None:
    def sized(obs_size: int, actions: int = 1) -> Callable[[], Scripted]:
        return lambda: Scripted((1.0,) * 4, obs_size=obs_size, action_size=actions)

    suite = scripted_suite(a=sized(3), b=sized(1))
    run = {
        "steps_per_task": 8,
        "random_steps": 4,
        "batch_per_task": 2,
        "eval_episodes": 1,
        "hidden": (8,),
        "threads": 1,
    }
    policy = mtrl.load(mtrl.learn(suite, "mtsac", runs_dir=tmp_path, **run).path, suite=suite)
    assert mtrl.score(policy, scripted_suite(a=sized(3)), episodes=1)["a"].mean_return == 4.0
    with pytest.raises(
        mtrl.UsageError, match=f"'a' has observations of {obs_size} numbers and actions of {actions}, but"
    ):
        mtrl.score(policy, scripted_suite(a=sized(obs_size, actions)), episodes=1)
