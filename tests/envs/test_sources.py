"""Suites from TOML files, Gymnasium ids and installed packages, and success for tasks that do not report it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.check import check_suite
from envs.errors import SuiteError
from envs.registry import make_suite
from envs.stepping.vector import MultiTaskVectorEnv
from envs.success import SuccessFromInfo, SuccessFromReturn
from mtrl import list as list_command
from tests.envs.scripted import CALM, Scripted

TOML = """
name = "swings"

[[task]]
name = "light"
id = "Pendulum-v1"
kwargs = { g = 5.0 }
description = "Swing the pendulum up in low gravity."
success = { return_at_least = -1e9 }

[[task]]
name = "long"
id = "MountainCarContinuous-v0"
max_episode_steps = 1200
"""


def write(tmp_path: Path, text: str) -> str:
    (tmp_path / "tasks.toml").write_text(text)
    return str(tmp_path / "tasks.toml")


def test_a_toml_file_is_a_suite(tmp_path: Path) -> None:
    suite = make_suite(write(tmp_path, TOML))
    assert (suite.name, suite.task_names) == ("swings", ("light", "long"))
    assert suite.descriptions == ("Swing the pendulum up in low gravity.", "Solve mountain car continuous.")
    reports = check_suite(suite)
    assert [(report.problems, report.horizon) for report in reports] == [((), 200), ((), 1200)]
    assert reports[0].remarks == ()  # it reports success
    assert suite.tasks[0].make_env().unwrapped.g == 5.0


def test_a_toml_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert make_suite(write(tmp_path, "\ufeff" + TOML)).name == "swings"  # as some editors save it


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "cannot be read as TOML"),
        ("[[task]]\nname = 'a'\nid = 'Pendulum-v1'", "'name' is missing"),
        ("name = 's'", "'task' is missing"),
        ("name = 's'\ntask = []", "has no task"),
        ("name = 's'\ntasks = 1", "unknown key 'tasks'.*Did you mean 'task'"),
        ("name = 3\n[[task]]\nname='a'\nid='Pendulum-v1'", "name is 3; expected a str"),
        ("name = 's'\n[[task]]\nname='a'", "task 0: 'id' is missing"),
        ("name = 's'\n[[task]]\nname='a'\nid='Pendulm-v1'", "'Pendulm-v1'.*Did you mean 'Pendulum-v1'"),
        ("name = 's'\n[[task]]\nname='a'\nid='nowhere:Pendulum-v1'", "importing 'nowhere'"),
        ("name = 's'\n[[task]]\nname='a'\nid='Pendulum-v1'\nmax_steps=3", "unknown key 'max_steps'"),
        ("name = 's'\n[[task]]\nname='a'\nid='Pendulum-v1'\nmax_episode_steps=0", "max_episode_steps is 0"),
        ("name = 's'\n[[task]]\nname='a'\nid='Pendulum-v1'\nmax_episode_steps=true", "max_episode_steps is True"),
        (f"name = 's'\n[[task]]\nname='a'\nid='Pendulum-v1'\nmax_episode_steps={10**20}", "from 1 to 1000000000"),
        ("name = 's'\n[[task]]\nname='a'\nid='Pendulum-v1'\nsuccess={return_at_least=nan}", "must be a finite"),
        ("name = 's'\n[[task]]\nname='a'\nid='Pendulum-v1'\nkwargs={render_mode='x'}", "may be human, rgb_array"),
        ("name = 's'\n[[task]]\nname='a'\nid='Pendulum-v1'\nkwargs={id='x'}", "kwargs has 'id'"),
        ("name = " + "[" * 20_000, "cannot be read as TOML"),
        ("name = 's\0'", "cannot be read as TOML"),
        ("name = 's'\n[[task]]\nname='a'\nid='Pendulum-v1'\nsuccess={}", "give one of"),
        ("name = 's'\n[[task]]\nname='a'\nid='Pendulum-v1'\nsuccess={key='x'}", "unknown key 'key'"),
        ("name = 's'\n[[task]]\nname='a'\nid='Pendulum-v1'\n[[task]]\nname='a'\nid='Pendulum-v1'", "two tasks named"),
    ],
)
def test_a_bad_toml_file_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SuiteError, match=message) as caught:
        make_suite(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_missing_toml_file_is_reported() -> None:
    with pytest.raises(SuiteError, match=r"'no\.toml': no such file"):
        make_suite("no.toml")


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tasks.toml")
    with pytest.raises(SuiteError, match="it is not a regular file"):
        make_suite(str(tmp_path / "tasks.toml"))


def test_a_render_mode_that_the_environment_lists_is_accepted(tmp_path: Path) -> None:
    text = "name = 's'\n[[task]]\nname='a'\nid='Pendulum-v1'\nkwargs={render_mode='rgb_array'}"
    assert make_suite(write(tmp_path, text)).task_names == ("a",)


def test_ids_alone_are_a_suite_and_unequal_tasks_are_padded() -> None:
    suite = make_suite("gym:Pendulum-v1, MountainCarContinuous-v0")
    assert suite.task_names == ("Pendulum-v1", "MountainCarContinuous-v0")
    env = MultiTaskVectorEnv(suite, 1)
    obs, _ = env.reset(seed=0)
    assert obs.shape == (2, 3)
    assert obs[1, 2] == 0.0


@pytest.mark.parametrize(
    ("spec", "message"),
    [("gym:", "names no Gymnasium id"), ("gym:Pendulm-v1", "Did you mean 'Pendulum-v1'"), ("gym:a:b", "'a'")],
)
def test_bad_ids_are_refused(spec: str, message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        make_suite(spec)


def test_an_id_may_name_the_module_that_registers_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import gymnasium as gym\ngym.register('mine/Swing-v0', 'gymnasium.envs.classic_control:PendulumEnv')"
    (tmp_path / "registering.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    (task,) = make_suite("gym:registering:mine/Swing-v0").tasks
    assert task.name == "mine-Swing-v0"
    assert task.make_env().observation_space.shape == (3,)


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two installed suites in the entry-point group, one of them broken."""
    (tmp_path / "offered.py").write_text(
        "from functools import partial\nimport gymnasium as gym\nfrom mtrl import Task, TaskSuite\n"
        "suite = TaskSuite('offered', [Task('a', partial(gym.make, 'Pendulum-v1'), 'Swing up.')])\n"
    )
    info = tmp_path / "offered-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offered\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mtrl.suites]\noffered = offered:suite\nbroken = missing_module:suite\n")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("_installed")
def test_an_installed_package_offers_suites_by_name() -> None:
    assert make_suite("offered").task_names == ("a",)
    with pytest.raises(SuiteError, match="suite 'broken' of an installed package.*missing_module"):
        make_suite("broken")
    with pytest.raises(SuiteError, match="unknown suite 'ofered'.*Did you mean 'offered'"):
        make_suite("ofered")


@pytest.mark.usefixtures("_installed")
def test_a_broken_package_is_a_warning_in_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert list_command.main([]) == 0
    printed = capsys.readouterr()
    assert "suite offered: 1 task" in printed.out
    assert "suite tabletop: 10 tasks" in printed.out
    assert printed.err.startswith("warning: suite 'broken'")


def successes(env: Any) -> list[Any]:
    env.reset(seed=0)
    return [env.step(np.zeros(1))[4].get("success") for _ in range(3)]


class Silent(Scripted):
    def info(self) -> dict[str, Any]:
        return {"at_goal": self.count == 2} if self.count < 3 else {}


SCRIPT = [CALM, CALM, (1.0, False, True)]


def test_success_from_an_info_key() -> None:
    assert successes(SuccessFromInfo(Silent(SCRIPT), "at_goal")) == [0.0, 1.0, None]


def test_an_episode_without_the_key_is_a_failure_which_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Some environments set their key only where they succeed; it once ended the run."""
    for _ in range(2):
        assert successes(SuccessFromInfo(Silent(SCRIPT), "solved")) == [None, None, 0.0]
    (line,) = capsys.readouterr().err.splitlines()
    assert "info never had the key 'solved', so the episode counts as a failure" in line


@pytest.mark.parametrize(("least", "success"), [(2.0, 1.0), (2.1, 0.0)])
def test_success_from_the_return_is_known_at_the_end(least: float, success: float) -> None:
    assert successes(SuccessFromReturn(Silent(SCRIPT), least)) == [None, None, success]
