"""check_suite finds problems and describes them in words."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from envs.check import check_suite, check_unseen
from envs.errors import SuiteError
from envs.registry import make_suite
from envs.suite import Task, TaskSuite
from tests.envs.scripted import CALM, Scripted, suite_of

GOOD = [CALM, CALM, (1.0, False, True)]


def test_the_default_suite_has_neither_problem_nor_remark() -> None:
    reports = check_suite(make_suite("tabletop"))
    assert [(r.problems, r.remarks) for r in reports] == [((), ())] * 10
    assert {r.horizon for r in reports} == {100}


def test_a_good_task_is_measured() -> None:
    (report,) = check_suite(suite_of(partial(Scripted, GOOD, size=2, actions=1)))
    assert (report.obs_size, report.action_size, report.horizon, report.problems) == (2, 1, 3, ())
    assert report.steps_per_second > 0


class Unseeded(Scripted):
    def reset(self, **kwargs: Any) -> Any:
        super().reset(**kwargs)
        self.start = np.random.default_rng().random()
        return self._obs(), {}


class Shorter(Scripted):
    """Every episode is shorter than the one before, with the same observations and rewards."""

    made = 0

    def step(self, action: np.ndarray) -> Any:
        obs, reward, _, _, info = super().step(action)
        return obs, reward, False, self.count >= self.length, info

    def reset(self, **kwargs: Any) -> Any:
        self.made += 1
        self.length = 5 - self.made
        return super().reset(**kwargs)


class Lucky(Scripted):
    """The same episodes, with another success each time."""

    def reset(self, **kwargs: Any) -> Any:
        self.luck = not getattr(self, "luck", False)
        return super().reset(**kwargs)

    def info(self) -> dict[str, Any]:
        return {"success": self.luck}


class Silent(Scripted):
    def info(self) -> dict[str, Any]:
        return {}


class Global(Scripted):
    def reset(self, **kwargs: Any) -> Any:
        np.random.seed(3)  # noqa: NPY002
        return super().reset(**kwargs)


class Outside(Scripted):
    def __init__(self) -> None:
        super().__init__(GOOD)
        self.observation_space.low[:], self.observation_space.high[:] = -0.5, 0.5


class Widened(gym.Wrapper[Any, Any, Any, Any]):
    """Declares a wider action space than the environment that it passes actions to."""

    def __init__(self) -> None:
        super().__init__(Scripted(GOOD))
        self.action_space = gym.spaces.Box(-100.0, 100.0, (1,))


class Coarse(Scripted):
    """Its actions are small integers, whose differences wrap around."""

    def __init__(self) -> None:
        super().__init__(GOOD)
        self.action_space = gym.spaces.Box(0, 255, (1,), np.uint8)


ONLY = Scripted(GOOD)


class Bad(Scripted):
    def __init__(self) -> None:
        raise OSError("no licence")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (partial(Scripted, [CALM] * 100), "no episode ended within 50 steps"),
        (partial(Unseeded, GOOD), "the same actions gave different observations"),
        (partial(Shorter, [CALM] * 5), "the same actions gave different ends"),
        (partial(Lucky, GOOD), "the same actions gave different success"),
        (Bad, "OSError: no licence"),
        (lambda: ONLY, "make() returned the environment of a copy of 'a' again"),
        (partial(Scripted, [(np.nan, False, False)]), "reward nan"),
    ],
)
def test_problems_are_named(make: Any, problem: str) -> None:
    (report,) = check_suite(suite_of(make), max_steps=50)
    assert len(report.problems) == 1
    assert problem in report.problems[0]
    assert "task 'a'" in report.problems[0]


@pytest.mark.parametrize(
    ("make", "remark"),
    [
        (partial(Silent, GOOD), "neither 'success' nor 'is_success'"),
        (partial(Global, GOOD), "global random generator"),
        (Outside, "100% of its observations are outside"),
        (partial(Scripted, [CALM, (-1e38, False, True)]), "a reward of -1e+38 is beyond 1,000,000"),
        (Widened, "inside its wrappers, Scripted received actions up to"),
    ],
)
def test_remarks_are_not_problems(make: Any, remark: str) -> None:
    (report,) = check_suite(suite_of(make))
    assert report.problems == ()
    assert any(remark in line for line in report.remarks)


def test_a_wrapper_that_rescales_actions_is_not_remarked_on() -> None:
    far = np.full(1, 100.0, dtype=np.float32)
    (report,) = check_suite(suite_of(lambda: gym.wrappers.RescaleAction(Scripted(GOOD, -3.0, 5.0), -far, far)))
    assert (report.problems, report.remarks) == ((), ())


def test_bounds_of_small_integers_are_not_remarked_on() -> None:
    (report,) = check_suite(suite_of(Coarse))
    assert (report.problems, report.remarks) == ((), ())


class Unmade(Scripted):
    """Cannot be made, so its sizes are unknown."""

    def __init__(self) -> None:
        raise RuntimeError("no")


def test_held_out_tasks_are_checked_also_against_the_sizes_of_trained_ones() -> None:
    tasks = [Task(f"t{size}", partial(Scripted, GOOD, size=size, actions=1), f"Task {size}.") for size in (1, 2, 3)]
    suite = TaskSuite("some", tasks[:2], held_out=[replace(tasks[0], name="same"), tasks[2]])
    same, larger = check_unseen(suite, check_suite(suite))
    assert (same.name, same.problems) == ("same", ())
    assert len(larger.problems) == 1
    assert "it is held out and has 3 numbers in an observation" in larger.problems[0]
    assert check_unseen(replace(suite, held_out=()), check_suite(suite)) == []
    broken = replace(suite, tasks=[Task("broken", Unmade, "Break.")])
    assert [report.problems for report in check_unseen(broken, check_suite(broken))] == [(), ()]


def test_tasks_with_the_same_context_are_remarked_on() -> None:
    make = partial(Scripted, GOOD, size=1, actions=1)
    tasks = [Task("a", make, "Go."), Task("b", make, "Go.", parameters={"g": 1.0}), Task("c", make, "Go.")]
    remarks = [report.remarks for report in check_suite(TaskSuite("some", tasks))]
    assert [len(own) for own in remarks] == [0, 0, 1]
    assert "task 'c': its sentence and parameters are those of 'a'" in remarks[2][0]


@pytest.mark.parametrize("value", [float("nan"), "x", True, pytest.param(10**400, id="huge"), -1.7e308])
def test_a_parameter_that_is_not_a_finite_number_is_refused(value: Any) -> None:
    task = Task("a", partial(Scripted, GOOD), "Go.", parameters={"g": value})
    with pytest.raises(SuiteError, match="has the parameter 'g': .*; give a finite number"):
        TaskSuite("some", [task])
    with pytest.raises(SuiteError, match="has the parameters .*; give numbers by name"):
        TaskSuite("some", [replace(task, parameters=[value])])  # type: ignore[arg-type]
    with pytest.raises(SuiteError, match="has a parameter named 3; give it a name in words"):
        TaskSuite("some", [replace(task, parameters={3: 1.0})])  # type: ignore[dict-item]
