"""What is wrong with a suite of one's own is said in one line, before anything is written or when it comes to light."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mtrl import check, train
from mtrl import list as list_command
from mtrl.runs.folder import RESULT
from tests.mtrl.conftest import Said

Refused = Callable[..., str]


PlugIn = Callable[..., str]


SUITES = """
    import gymnasium as gym
    import numpy as np
    from mtrl import Task, TaskSuite

    class Env(gym.Env):
        def __init__(self, obs=np.zeros(2, np.float32), reward=0.0, space=None, action=None):
            self.observation_space = space or gym.spaces.Box(-1.0, 1.0, (2,))
            self.action_space = action or gym.spaces.Box(-1.0, 1.0, (1,))
            self.obs, self.reward = obs, reward

        def reset(self, *, seed=None, options=None):
            return np.zeros(2, np.float32), {}

        def step(self, action):
            return self.obs, self.reward, False, False, {}

    def one(name, **kwargs):
        return TaskSuite("broken", [Task(name, lambda **_: Env(**kwargs), "Do it.", max_episode_steps=20)])

    fine = one("fine-task")
    dictionary = one("dict-task", space=gym.spaces.Dict({"a": gym.spaces.Text(4)}))
    picture = one("picture-task", space=gym.spaces.Box(0, 255, (4, 4, 3), np.uint8))
    discrete = one("discrete-task", action=gym.spaces.Discrete(3))
    unbounded = one("unbounded-task", action=gym.spaces.Box(-np.inf, np.inf, (1,)))
    shape = one("shape-task", obs=np.zeros(3, np.float32))
    nan = one("nan-task", obs=np.array([0.0, np.nan], np.float32))
    reward = one("reward-task", reward=float("inf"))
    word = one("word-task", reward="much")
    failing = TaskSuite("broken", [Task("failing-task", lambda: 1 / 0, "Do it.")])
    number = 3
"""


@pytest.mark.usefixtures("no_training")
def test_a_replay_too_large_for_memory_is_said_with_its_size(refused: Refused, plug_in: PlugIn, tmp_path: Path) -> None:
    name = plug_in(SUITES)
    trillion = 10**12
    line = refused(train.main, f"--suite={name}:fine", f"--steps-per-task={trillion}", f"--replay-per-task={trillion}")
    # One task, 10^12 rows of two observations of 2 numbers, 1 action, reward and termination, 4 bytes each.
    assert "28 TB" in line
    assert "--replay-per-task" in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("no_training")
def test_a_replay_too_large_for_stable_baselines3_is_said_too(
    refused: Refused, plug_in: PlugIn, tmp_path: Path
) -> None:
    """A buffer for each model that is trained at the same time, never longer than the run."""
    name = plug_in(SUITES)
    much = [f"--steps-per-task={10**12}", f"--replay-per-task={10**12}"]
    line = refused(train.main, f"--suite={name}:fine", "--agent=sb3", *much)
    assert "TB" in line
    assert "--replay-per-task" in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("source", "attribute", "parts"),
    [
        (None, "suite", ["no module named 'my_suite'", "folder"]),
        ("import no_such_package", "suite", ["my_suite", "'no_such_package'", "install"]),
        ("raise RuntimeError('the licence\\nhas run out')", "suite", ["my_suite", "RuntimeError", "the licence"]),
        ("suite = (", "suite", ["my_suite", "SyntaxError"]),
        ("raise SystemExit(9)", "suite", ["my_suite", "SystemExit: 9"]),
        ("def suite():\n    raise SystemExit(9)", "suite", ["my_suite:suite", "SystemExit: 9"]),
        ("tasks_of_mine = 1", "task_of_mine", ["my_suite", "'task_of_mine'", "Did you mean 'tasks_of_mine'?"]),
        ("suite = 3", "suite", ["my_suite:suite", "int", "TaskSuite"]),
        ("def suite():\n    return 1 / 0", "suite", ["my_suite:suite", "ZeroDivisionError"]),
        ("suite = 3", "", ["module:attribute"]),
        (
            "from mtrl import *\nt = Task('twin', None, 'Do it.')\nsuite = TaskSuite('s', [t, t])",
            "suite",
            ["'s'", "two tasks named 'twin'", "rename"],
        ),
        (
            "from mtrl import *\nsuite = TaskSuite('s', [Task('mute', None, '  ')])",
            "suite",
            ["'s'", "'mute'", "no description", "say in one sentence"],
        ),
        ("from mtrl import *\nsuite = TaskSuite('s', [])", "suite", ["'s'", "no task", "at least one"]),
        (
            "from mtrl import *\nsuite = TaskSuite('s', [Task('', None, 'Do it.')])",
            "suite",
            ["'s'", "name ''", "non-empty"],
        ),
        ("from mtrl import *\nsuite = TaskSuite('', [])", "suite", ["name is ''"]),
    ],
    ids=[
        "module missing",
        "its own import missing",
        "raises on import",
        "syntax error",
        "exits on import",
        "function exits",
        "attribute missing",
        "no suite",
        "function raises",
        "no attribute given",
        "doubled names",
        "empty sentence",
        "no tasks",
        "empty task name",
        "empty suite name",
    ],
)
@pytest.mark.parametrize("main", [train.main, list_command.main], ids=["train", "list"])
def test_a_plug_in_that_is_no_suite_is_named_with_what_is_wrong(
    refused: Refused, plug_in: PlugIn, tmp_path: Path, main: Any, source: str | None, attribute: str, parts: list[str]
) -> None:
    if source is not None:
        plug_in(source)
    line = refused(main, "--suite", f"my_suite:{attribute}")
    assert [part for part in parts if part not in line] == [], line
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("attribute", "parts"),
    [
        ("dictionary", ["'dict-task'", "observation['a']", "Text", "Box"]),
        ("picture", ["'picture-task'", "picture", "shape (4, 4, 3)"]),
        ("discrete", ["'discrete-task'", "Discrete(3)", "Box"]),
        ("unbounded", ["'unbounded-task'", "no finite bounds"]),
        ("failing", ["'failing-task'", "ZeroDivisionError"]),
    ],
)
def test_an_environment_with_unsupported_spaces_is_named_before_anything_is_written(
    refused: Refused, plug_in: PlugIn, tmp_path: Path, attribute: str, parts: list[str]
) -> None:
    name = plug_in(SUITES)
    line = refused(train.main, "--suite", f"{name}:{attribute}")
    assert [part for part in parts if part not in line] == [], line
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("attribute", "parts"),
    [
        ("shape", ["'shape-task'", "(3,)", "(2,)"]),
        ("nan", ["'nan-task'", "nan", "index 1"]),
        ("reward", ["'reward-task'", "inf", "finite"]),
        ("word", ["'word-task'", "'much'", "number"]),
    ],
)
def test_an_environment_that_breaks_its_word_while_it_runs_is_named_and_leaves_no_result(
    refused: Refused, plug_in: PlugIn, tmp_path: Path, attribute: str, parts: list[str]
) -> None:
    name = plug_in(SUITES)
    line = refused(train.main, "--suite", f"{name}:{attribute}", "--threads", "1", "--hidden", "16")
    assert [part for part in parts if part not in line] == [], line
    assert list(tmp_path.rglob(RESULT)) == []


def test_check_finds_the_same_faults_without_training(
    call: Callable[..., Said], plug_in: PlugIn, tmp_path: Path
) -> None:
    name = plug_in(SUITES)
    assert call(check.main, f"{name}:fine").code == 0
    for attribute, word in (("dictionary", "Text"), ("nan", "nan"), ("reward", "inf"), ("shape", "(3,)")):
        said = call(check.main, f"{name}:{attribute}")
        (line,) = [line for line in said.out.splitlines() if line.startswith("problem: ")]
        assert said.code == 2
        assert said.err == ""
        assert word in line
    assert "this suite breaks the contract" in said.out
    assert not (tmp_path / "runs").exists()
