"""Edge cases: closing, the second success key, a simulator that differs, a broken info."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib.machinery import ModuleSpec
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from envs import context
from envs.check import check_suite
from envs.errors import SuiteError
from envs.registry import make_suite
from envs.stepping.copies import CheckedEnv, GymCopies
from envs.stepping.engine import Step
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import Task, TaskSuite
from envs.tabletop.simulator import TabletopSimulator
from envs.tabletop.tasks import BY_NAME
from tests.envs.scripted import CALM, Scripted, suite_of

GOOD = [CALM, CALM, (1.0, False, True)]


class Closes(Scripted):
    """Counts in the caller's list how often it was closed."""

    def __init__(self, closed: list[int]) -> None:
        super().__init__(GOOD)
        self.closed = closed

    def close(self) -> None:
        self.closed.append(1)


def test_every_environment_is_closed_once() -> None:
    closed: list[int] = []
    env = MultiTaskVectorEnv(suite_of(partial(Closes, closed), partial(Closes, closed)), 3)
    env.close()
    env.close()
    assert len(closed) == 6


def test_the_check_closes_its_environments() -> None:
    closed: list[int] = []
    check_suite(suite_of(partial(Closes, closed)))
    assert len(closed) == 2  # of the second, it only looks whether it is another one


class Informs(Scripted):
    def __init__(self, info: Any) -> None:
        super().__init__(GOOD)
        self.fixed_info = info

    def info(self) -> Any:
        return self.fixed_info


@pytest.mark.parametrize(
    ("info", "success"),
    [
        ({"is_success": True}, 1.0),
        ({"is_success": False}, 0.0),
        ({"success": 0.0, "is_success": True}, 0.0),
        ({"success": np.bool_(True)}, 1.0),
    ],
)
def test_success_is_read_under_either_name_and_success_comes_first(info: Any, success: float) -> None:
    env = MultiTaskVectorEnv(suite_of(partial(Informs, info)), 1)
    env.reset(seed=0)
    assert env.step(np.zeros((1, 1)))[4]["success"].tolist() == [success]


BROKEN_INFO = [None, {"success": "yes"}, {"success": None}, {"success": np.zeros(2)}, {"success": 2.0}, {"success": -1}]


@pytest.mark.parametrize("info", BROKEN_INFO, ids=str)
def test_a_broken_info_is_reported_with_its_task(info: Any) -> None:
    assert _message(partial(Informs, info)).startswith("task 'odd'")


class Steps(Scripted):
    def __init__(self, **instead: Any) -> None:
        super().__init__(GOOD)
        self.instead = instead

    def step(self, action: np.ndarray) -> Any:
        names = ("obs", "reward", "terminated", "truncated", "info")
        return tuple({**dict(zip(names, super().step(action), strict=True)), **self.instead}.values())


@pytest.mark.parametrize(
    "instead",
    [
        {"terminated": np.array([True, False])},
        {"obs": [0.0, [1.0, 2.0], 0.0]},
        {"reward": [1.0, [2.0, 3.0]]},
        {"obs": np.array([1e300, 0.0, 0.0])},
        {"reward": 1e300},
    ],
    ids=[
        "flag array",
        "ragged observation",
        "ragged reward",
        "observation beyond float32",
        "reward beyond float32",
    ],
)
def test_other_invalid_values_are_reported_with_their_task(instead: dict[str, Any]) -> None:
    assert _message(partial(Steps, **instead)).startswith("task 'odd'")


def _message(make: Any) -> str:
    """Return the message of a first step's SuiteError; any other exception is raised."""
    env = MultiTaskVectorEnv(TaskSuite("s", [Task("odd", make, "Do something odd.")]), 1)
    env.reset(seed=0)
    try:
        env.step(np.zeros((1, 1)))
    except SuiteError as error:
        return str(error)
    return "no error"


def test_a_scaled_action_never_leaves_its_own_bounds() -> None:
    generator = np.random.default_rng(0)
    for _ in range(200):
        low, high = np.sort(generator.uniform(-3.0, 3.0, 2))
        env = Scripted(GOOD)
        env.action_space = gym.spaces.Box(low, high, (1,), np.float64)
        checked = CheckedEnv(Task("a", lambda env=env: env, "Do a."), env)
        checked.reset(0)
        checked.step(np.ones(1))
        assert env.action_space.contains(env.received[0])


def test_a_numpy_integer_is_a_seed() -> None:
    env = MultiTaskVectorEnv(suite_of(partial(Scripted, GOOD)), 2)
    assert np.array_equal(env.reset(seed=np.int64(3))[0], env.reset(seed=3)[0])


def test_one_environment_for_all_copies_is_refused() -> None:
    env = Scripted(GOOD)
    with pytest.raises(SuiteError, match="task 'a'"):
        MultiTaskVectorEnv(suite_of(lambda: env), 2)


def test_only_keeps_the_suites_simulator() -> None:
    suite = make_suite("tabletop")
    assert suite.simulator is not None
    assert suite.only(["push"]).simulator is suite.simulator


class Shifted(TabletopSimulator):
    """Starts slightly off from where the single environment starts."""

    def begin(self, rows: np.ndarray, draws: np.ndarray) -> None:
        super().begin(rows, draws)
        self.state.hand[self._index(rows)] += 1e-3


def test_a_simulator_that_differs_from_its_environments_is_a_problem() -> None:
    def make(tasks: Sequence[Task], copies: int, xp: Any, device: Any) -> Shifted:
        return Shifted([BY_NAME[task.name] for task in tasks], copies, xp, device)

    suite = TaskSuite("shifted", make_suite("tabletop").tasks[:2], simulator=make)
    problems = [problem for report in check_suite(suite) for problem in report.problems]
    assert len(problems) == 1
    assert "its simulator and the environment of 'reach' differ in the observation" in problems[0]


class Differs(GymCopies):
    """Steps the tasks' environments, then changes one part of the step."""

    part, change = "reward", staticmethod(lambda values: values)

    def step(self, action: np.ndarray) -> Step:
        step = super().step(action)
        return step._replace(**{self.part: self.change(getattr(step, self.part))})


@pytest.mark.parametrize("end", [(0.5, True, False), CALM])
@pytest.mark.parametrize(
    ("part", "change", "problem"),
    [
        ("reward", lambda values: values, None),
        ("reward", lambda values: values * 1.1, "the environment of 'a' differ in the reward"),
        ("terminated", lambda values: ~values, "the environment of 'a' differ in the terminated flag"),
        ("truncated", lambda values: ~values, "the environment of 'a' differ in the truncated flag"),
        ("success", lambda values: values + 0.5, "the environment of 'a' differ in the success"),
        ("reward", lambda values: 1 / 0, "its simulator failed: ZeroDivisionError"),
    ],
)
def test_a_simulators_every_step_is_compared(part: str, change: Any, problem: str | None, end: Any) -> None:
    def make(tasks: Sequence[Task], copies: int, xp: Any, device: Any) -> Differs:
        engine = Differs(tasks, copies)
        engine.part, engine.change = part, change
        return engine

    suite = replace(suite_of(partial(Scripted, [end, *[CALM] * 3, (0.5, False, True)])), simulator=make)
    problems = check_suite(suite)[0].problems
    assert problem in problems[0] if problem else not problems


class Dice(Scripted):
    def info(self) -> dict[str, Any]:
        return {"success": random.random() < 2}


def test_pythons_global_generator_is_noticed_as_numpys_is() -> None:
    (report,) = check_suite(suite_of(partial(Dice, GOOD)))
    assert any("global random generator" in remark for remark in report.remarks)


@pytest.mark.parametrize(("low", "high"), [(-np.inf, 0.5), (2.5, np.inf)])
def test_observations_beyond_one_bound_only_are_noticed(low: float, high: float) -> None:
    """The observations run from (0, 0) to (0, 3)."""

    def make() -> Scripted:
        env = Scripted(GOOD, size=2)
        env.observation_space = gym.spaces.Box(low, high, (2,), np.float64)
        return env

    (report,) = check_suite(suite_of(make))
    assert any("are outside its observation space" in remark for remark in report.remarks)


def test_a_hashed_sentence_by_its_features() -> None:
    """A word, or two and their pair, and the character triples: one signed count each, at unit norm."""
    one = {33: 1, 114: 1, 134: -1, 317: 1, 321: -1}
    assert _counts("Open.", 5) == one
    assert _counts("Open it.", 10) == {**one, 84: 1, 119: -1, 206: 1, 239: 1, 290: -1}


def _counts(sentence: str, squares: int) -> dict[int, float]:
    vector = context._hash(sentence) * np.sqrt(squares)
    return {int(k): round(float(vector[k]), 6) for k in np.flatnonzero(vector)}


def test_an_installed_encoder_encodes_all_sentences_where_one_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(context.importlib.util, "find_spec", lambda name: ModuleSpec(name, None))
    monkeypatch.setattr(context, "encode_with_model", lambda sentences: np.full((len(sentences), 384), 0.5))
    vectors, source = context.encode([*make_suite("tabletop").descriptions, "Something new."])
    assert source == "model"
    assert vectors.shape == (11, 384)
    assert (vectors == 0.5).all()


def test_a_sentence_of_punctuation_has_a_vector_too() -> None:
    assert np.linalg.norm(context._hash("?!")) == pytest.approx(1.0)
