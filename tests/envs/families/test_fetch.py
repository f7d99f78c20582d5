"""The Fetch tasks: flat rows of state, achieved and desired goal; the reward is minus the distance between the two."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from envs.check import check_suite
from envs.errors import MissingExtra
from envs.registry import make_suite
from envs.stepping.copies import CheckedEnv
from envs.stepping.vector import MultiTaskVectorEnv

pytest.importorskip("gymnasium_robotics")
NAMES = ("reach", "push", "slide", "pick-and-place")


def test_the_four_tasks() -> None:
    assert make_suite("fetch").task_names == NAMES


@pytest.mark.parametrize(("name", "size"), [("reach", 16), ("push", 31)])
def test_rows_and_rewards_by_hand(name: str, size: int) -> None:
    task = make_suite("fetch").only([name]).tasks[0]
    env = CheckedEnv(task, task.make_env(render_mode="rgb_array"))
    assert (env.obs_size, env.action_size) == (size, 4)
    env.reset(3)
    for _ in range(3):
        obs, reward, terminated, truncated, success = env.step(np.array([0.3, -0.2, 0.1, 0.0]))
        achieved, desired = obs[:3], obs[3:6]  # a Dict's parts in the order of their names
        assert reward == pytest.approx(-np.linalg.norm(achieved - desired), abs=1e-6)
        assert (terminated, truncated, success) == (False, False, 0.0)
    env.env.close()


def test_the_import_prints_nothing() -> None:
    code = "from envs.registry import make_suite; make_suite('fetch').tasks[0].make_env().close()"
    ended = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, check=True)
    assert ended.stdout + ended.stderr == b""


def test_success_is_being_within_5_cm() -> None:
    task = make_suite("fetch").only(["reach"]).tasks[0]
    env = CheckedEnv(task, task.make_env())
    obs, solved = env.reset(3), []
    for _ in range(50):
        obs, reward, _, truncated, success = env.step(np.append(10.0 * (obs[3:6] - obs[:3]), 0.0))
        assert success == float(-reward < 0.05)
        solved.append(success)
    assert truncated
    assert (solved[0], solved[-1]) == (0.0, 1.0)


def test_tasks_of_unequal_size_are_padded() -> None:
    env = MultiTaskVectorEnv(make_suite("fetch").only(["reach", "slide"]), 1)
    obs, _ = env.reset(seed=0)
    assert obs.shape == (2, 31)
    assert not obs[0, 16:].any()
    assert obs[1, 16:].any()
    env.close()


def test_there_are_no_remarks() -> None:
    assert [report.remarks + report.problems for report in check_suite(make_suite("fetch"))] == [()] * 4


def test_without_the_extra_its_install_command_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium_robotics", None)
    message = r"^gymnasium-robotics is not installed: pip install -e '\.\[robotics\]'$"
    with pytest.raises(MissingExtra, match=message):
        make_suite("fetch").tasks[0].make_env()
