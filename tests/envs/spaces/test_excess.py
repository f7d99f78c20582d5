"""What is allowed but rarely intended is reported once per task, with the value and the bound."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from envs import errors
from envs.spaces.excess import Excess, action_warning, reward_warning
from envs.stepping.vector import MultiTaskVectorEnv
from tests.envs.scripted import CALM, Scripted, suite_of

Capture = pytest.CaptureFixture[str]
LARGE = [(-1e9, False, False), (2e9, False, True)]


@pytest.fixture(autouse=True)
def _no_warnings_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_warned", set())


def play(env: MultiTaskVectorEnv, action: float, steps: int = 4) -> None:
    env.reset(seed=0)
    for _ in range(steps):
        env.step(np.full(env.action_space.shape or (), action, dtype=np.float32))
    env.close()


def test_a_large_reward_is_named_with_its_task_and_the_bound() -> None:
    assert reward_warning("a", np.array([1.0, -1e38, 1e30])).startswith(
        "task 'a': a reward of -1e+38 is beyond 1,000,000,"
    )
    assert reward_warning("a", np.array([-1e6, 1e6])) == reward_warning("a", np.zeros(0)) == ""


def test_an_action_outside_its_bounds_is_named_and_rounding_is_not() -> None:
    assert "task 'a': an action of -100, where the task's bounds are scaled to [-1, 1]" in action_warning(
        "a", np.array([[0.5, -100.0], [7.0, 0.0]])
    )
    assert action_warning("a", np.array([1.0 + 1e-6, -1.0 - 1e-6])) == ""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_tasks_rewards_are_warned_about_once_however_many_copies_and_environments_there_are(
    capsys: Capture, workers: int
) -> None:
    suite = suite_of(partial(Scripted, LARGE), partial(Scripted, [CALM, (0.5, False, True)]))
    for _ in range(2):  # as for training and for evaluation
        play(MultiTaskVectorEnv(suite, copies=2, workers=workers), 0.0)
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "reward" in line] == lines
    assert len(lines) == 1
    assert lines[0].startswith("warning: task 'a': a reward of -1e+09 is beyond 1,000,000")


def test_actions_are_warned_about_only_in_dimensions_that_a_task_has(capsys: Capture) -> None:
    suite = suite_of(partial(Scripted, [CALM, (0.5, False, True)], actions=2), partial(Scripted, [CALM] * 9))
    env = MultiTaskVectorEnv(suite)
    env.reset(seed=0)
    env.step(np.array([[0.0, 0.0], [1.0, 300.0]], dtype=np.float32))  # the second task has one dimension
    assert capsys.readouterr().err == ""
    for _ in range(2):
        env.step(np.array([[0.0, -2.0], [1.0, 300.0]], dtype=np.float32))
    env.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: task 'a': an action of -2,")


def test_two_tasks_are_two_warnings() -> None:
    excess = Excess(["one", "other"], np.ones((2, 1), dtype=bool))
    excess.check(np.zeros((2, 1)), np.array([2e6, 2e6]))
    assert errors._warned == {"the reward of one", "the reward of other"}
