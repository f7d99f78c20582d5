"""Bad input is one line that names the thing, its value and the way out, exit code 2, and nothing is trained before."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mtrl import check, evaluate, train
from mtrl import list as list_command
from mtrl.errors import UsageError
from mtrl.runs.folder import RESULT
from mtrl.terminal.cli import INTERRUPTED, command
from tests.mtrl.conftest import Said, tiny

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


WRONG_FLAGS: list[tuple[list[str], list[str]]] = [
    (["--suite", "tabeltop"], ["unknown suite 'tabeltop'", "module:attribute", "Did you mean 'tabletop'?"]),
    (["--suite", ""], ["unknown suite ''", "tabletop"]),
    (["--agent", "crae"], ["unknown agent 'crae'", "mtsac", "Did you mean 'care'?"]),
    (["--agent", ""], ["unknown agent ''", "mtsac"]),
    (["--tasks", "reach", "door-opne"], ["unknown task 'door-opne'", "tabletop", "Did you mean 'door-open'?"]),
    (["--steps-per-tsk", "5"], ["--steps-per-tsk", "Did you mean --steps-per-task?", "--help"]),
    (["--steps-per-task", "-1"], ["--steps-per-task is -1", "at least 1"]),
    (["--steps-per-task", "many"], ["--steps-per-task", "'many'", "INT", "--help"]),
    (["--steps-per-task"], ["--steps-per-task", "--help"]),
    (["--seed", "x"], ["--seed", "'x'", "INT"]),
    (["--seed", "-3"], ["--seed is -3", "at least 0"]),
    (["--seed", str(2**32)], ["--seed is 4294967296", "at most 4294967295"]),
    (["--batch-per-task", "0"], ["--batch-per-task is 0", "at least 1"]),
    (["--batch-per-task", "9", "--replay-per-task", "8"], ["--batch-per-task is 9", "--replay-per-task 8"]),
    (["--envs-per-task", "9", "--replay-per-task", "8", "--batch-per-task", "1"], ["9", "--replay-per-task is 8"]),
    (["--device", "tpu"], ["--device is 'tpu'", "auto, cpu or cuda"]),
    (["--agent", "sb3", "--device", "tpu"], ["--device is 'tpu'", "auto, cpu or cuda"]),
    (["--baseline", "ppo"], ["--baseline", "'ppo'", "single-task", "sb3", "none"]),
    (["--discount", "2"], ["--discount is 2.0", "at most 1"]),
    (["--discount", "nan"], ["--discount is nan"]),
    (["--learning-rate", "0"], ["--learning-rate is 0.0", "above 0"]),
    (["--hidden", "0"], ["--hidden is 0", "at least 1"]),
    (["--hidden"], ["--hidden is empty"]),
    (["--encoders", "0"], ["--encoders is 0", "above 0"]),
    (["--attention", "foo"], ["--attention", "'foo'", "context", "dot-product"]),
    (["--agent", "mtsac", "--encoders", "3"], ["--encoders", "--help"]),
    (["reach"], ["reach", "--help"]),
    (["--aggregator", "weighted", "--task-weights", "1", "-2"], ["--task-weights is 1.0 -2.0", "at least 0"]),
    (["--aggregator", "weighted", "--task-weights", "1", "2"], ["--task-weights has 2 numbers for 10 tasks"]),
    (["--sampler", "size", "--task-sizes", "5"], ["--task-sizes has 1 numbers for 10 tasks"]),
    (["--agent", "single-task", "--aggregator", "pcgrad"], ["'single-task'", "share nothing", "--agent mtsac"]),
    (
        ["--agent", "mtsac", "--encoder", "none", "--trunk", "separate", "--aggregator", "mgda"],
        ["aggregator 'mgda'", "trunk 'separate'", "--aggregator sum"],
    ),
    (["--agent", "sb3", "--sampler", "exp3"], ["agent 'sb3'", "has no --sampler"]),
    (["--agent", "single-task", "--sampler", "exp3"], ["'single-task'", "sampler stays 'uniform'", "--agent mtsac"]),
    (["--aggregator", "nash-mtl", "--nash-every", "0"], ["--nash-every is 0", "above 0"]),
    (["--suite", "pendulum-gravity", "--sampler", "unlock"], ["sampler 'unlock'", "success", "learning-progress"]),
    (["--sampler", "widen"], ["the one number in which they differ", "--sampler unlock"]),
    (["--suite", "pendulum-gravity", "--sampler", "widen"], ["sampler 'widen'", "success", "widen-by-return"]),
    (["--suite", "pendulum-gravity", "--sampler", "widen-by-return"], ["needs the return", "--widen-return -200"]),
    (["--threads", "99999999999"], ["--threads is 99999999999", "at most 1024"]),
    (["--steps-per-task", "1e29"], ["--steps-per-task is 1", "at most 1000000000000"]),
    (["--tasks", "reach", "reach"], ["task 'reach' is named 2 times"]),
    (["--context", "text+text"], ["--context is 'text+text'", "twice"]),
    (["--suite", "pendulum-gravity:"], ["suite 'pendulum-gravity:' names nothing after its colon"]),
    (["--suite", "metaworld/MT1: "], ["suite 'metaworld/MT1: ' names nothing after its colon"]),
]


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever begins to train fails the test."""

    def begun(*_: Any) -> None:
        raise AssertionError("training began")

    monkeypatch.setattr("mtrl.training.session.Training", begun)
    monkeypatch.setattr("mtrl.baselines.sb3_run.train_tasks", begun)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(("arguments", "parts"), WRONG_FLAGS, ids=[" ".join(case[0]) for case in WRONG_FLAGS])
def test_a_wrong_flag_is_named_with_its_value_and_the_way_out(
    refused: Refused, tmp_path: Path, arguments: list[str], parts: list[str]
) -> None:
    line = refused(train.main, *arguments, "--runs-dir", tmp_path / "runs")
    assert [part for part in parts if part not in line] == [], line
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.usefixtures("no_training")
def test_a_gpu_that_is_not_there_is_named_with_the_way_out(refused: Refused, tmp_path: Path) -> None:
    line = refused(train.main, "--device", "cuda", "--runs-dir", tmp_path / "runs")
    assert "--device is 'cuda'" in line
    assert "--device cpu" in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("no_training")
def test_a_runs_folder_that_cannot_be_written_is_said_before_training(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    line = refused(train.main, *tiny(tmp_path / "file" / "runs"))
    assert str(tmp_path / "file" / "runs") in line
    assert "--runs-dir /tmp/runs" in line


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


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["nowhere", "--episodes", "0"], ["--episodes is 0", "at least 1"]),
        (["nowhere", "--seed", "-1"], ["--seed is -1", "at least 0"]),
        (["nowhere", "--record", "film.avi"], ["--record", "'film.avi'", ".gif or .mp4"]),
        ([], ["run folder", "--help"]),
    ],
)
def test_evaluate_checks_its_flags_before_it_looks_for_the_run(
    refused: Refused, arguments: list[str], parts: list[str]
) -> None:
    line = refused(evaluate.main, *arguments)
    assert [part for part in parts if part not in line] == [], line


def test_a_terminal_without_unicode_gets_the_same_line(tmp_path: Path) -> None:
    """Tyro frames its errors in other characters where stdout does not take UTF-8."""
    lines = [
        subprocess.run(
            [sys.executable, "-m", "mtrl.train", "--steps-per-tsk", "5"],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        ).stderr
        for encoding in ("utf-8", "ascii")
    ]
    assert lines[0] == lines[1]
    assert "--steps-per-tsk" in lines[0]


def test_a_narrow_terminal_does_not_break_the_line(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    line = refused(train.main, "--steps-per-tsk", "5")
    assert "Did you mean --steps-per-task?" in line


def test_a_message_of_several_lines_is_put_on_one(refused: Refused) -> None:
    def wrong(_: Any) -> int:
        raise UsageError("--suite is 'x':\n   the first word\n\tand the last")

    assert refused(wrong) == "error: --suite is 'x': the first word and the last\n"


def test_ctrl_c_outside_of_training_ends_with_130_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["mtrl"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert command(interrupted)() == INTERRUPTED == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_fault_of_the_kit_itself_is_no_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """One-line errors are for what the user can mend; a ValueError from inside keeps its traceback."""

    def faulty(_: Any) -> int:
        raise ValueError("inside")

    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(ValueError, match="inside"):
        command(faulty)()


@pytest.mark.parametrize(
    ("module", "arguments", "part"),
    [
        ("train", ["--suite", "tabeltop"], "Did you mean 'tabletop'?"),
        ("train", ["--suite", "bad_module:suite"], "the licence"),
    ],
)
def test_the_process_itself_ends_with_2_and_one_line(
    tmp_path: Path, module: str, arguments: list[str], part: str
) -> None:
    (tmp_path / "bad_module.py").write_text("raise OSError('the licence has run out')")
    process = subprocess.run(
        [sys.executable, "-m", f"mtrl.{module}", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert process.returncode == 2
    assert process.stdout.count("\n") <= 1  # what was about to be trained
    assert process.stderr.count("\n") == 1
    assert part in process.stderr
    assert not (tmp_path / "runs").exists()


def test_memory_that_cannot_be_had_is_one_line(call: Callable[..., Said]) -> None:
    def main(arguments: Any) -> int:
        raise MemoryError("Unable to allocate 745 GiB for an array\nof this shape")

    said = call(main)
    assert said.code == 1
    assert said.err.startswith("error: there is not enough memory: Unable to allocate 745 GiB")
    assert said.err.count("\n") == 1
