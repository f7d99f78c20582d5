"""Bad input: exit code 2 and one line that names the thing, its value and the way out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mtrl import check, evaluate, train
from mtrl import list as list_command
from tests.mtrl.conftest import TINY, Call

SUITES = """
from functools import partial
import gymnasium as gym
import numpy as np
from mtrl import Task, TaskSuite
from tests.envs.scripted import CALM, Scripted

class Odd(Scripted):
    def __init__(self, **instead):
        super().__init__([CALM] * 5 + [(0.0, False, True)])
        self.instead = instead
        self.observation_space = instead.get("space", self.observation_space)
        self.action_space = instead.get("actions", self.action_space)
    def step(self, action):
        obs, reward, terminated, truncated, info = super().step(action)
        return self.instead.get("obs", obs), self.instead.get("reward", reward), terminated, truncated, info

def one(**instead):
    return TaskSuite("odd", [Task("odd-one", partial(Odd, **instead), "Be odd.")])

good = one()
def dict_obs(): return one(space=gym.spaces.Dict({"x": gym.spaces.Box(-1, 1, (2,))}))
def discrete(): return one(actions=gym.spaces.Discrete(3))
def wrong_shape(): return one(obs=np.zeros(2))
def wrong_dtype(): return one(obs=np.array(["a", "b", "c"]))
def nan(): return one(obs=np.array([0.0, np.nan, 0.0]))
def reward(): return one(reward=float("inf"))
def doubled(): return TaskSuite("s", [*good.tasks, *good.tasks])
def no_sentence(): return TaskSuite("s", [Task("a", Odd, "")])
def no_task(): return TaskSuite("s", [])
"""


@pytest.fixture
def _suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd_suites.py").write_text(SUITES)
    (tmp_path / "raises_on_import.py").write_text("raise RuntimeError('no luck')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_suites")
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("--suite tabeltop", ["'tabeltop'", "Did you mean 'tabletop'"]),
        ("--agent caer", ["'caer'", "care, mtsac", "Did you mean 'care'"]),
        ("--tasks pusch", ["'pusch'", "reach, push", "Did you mean 'push'"]),
        ("--sed 3", ["--sed", "Did you mean --seed"]),
        ("--steps-per-task -1", ["--steps-per-task is -1", "at least 1"]),
        ("--seed x", ["--seed", "'x'", "INT"]),
        ("--seed -1", ["--seed is -1", "at least 0"]),
        ("--seed 4294967296", ["--seed is 4294967296", "at most 4294967295"]),
        ("--batch-per-task 0", ["--batch-per-task is 0", "at least 1"]),
        ("--batch-per-task 9 --replay-per-task 8", ["--batch-per-task is 9", "--replay-per-task 8"]),
        ("--discount 2", ["--discount is 2.0", "at most 1"]),
        ("--polyak 0", ["--polyak is 0.0", "above 0"]),
        ("--learning-rate nan", ["--learning-rate is nan", "above 0"]),
        ("--hidden 0", ["--hidden is 0", "at least 1"]),
        ("--attention foo", ["'foo'", "context", "dot-product"]),
        ("--device tpu", ["'tpu'", "auto, cpu or cuda"]),
        ("--replay-per-task 1000000000000 --steps-per-task 1000000000000", ["replay would take", "--replay-per-task"]),
        ("--suite no_such_module:suite", ["no module named 'no_such_module'"]),
        ("--suite raises_on_import:suite", ["RuntimeError: no luck"]),
        ("--suite odd_suites:goo", ["'goo'", "Did you mean 'good'"]),
        ("--suite odd_suites:doubled", ["two tasks named 'odd-one'"]),
        ("--suite odd_suites:no_sentence", ["'a'", "no sentence"]),
        ("--suite odd_suites:no_task", ["has no task"]),
        ("--suite odd_suites:dict_obs", ["'odd-one'", "Dict", "flat Box"]),
        ("--suite odd_suites:discrete", ["'odd-one'", "Discrete", "bounded Box"]),
        ("--suite odd_suites:wrong_shape", ["'odd-one'", "(2,)", "(3,)"]),
        ("--suite odd_suites:wrong_dtype", ["'odd-one'", "dtype <U1"]),
        ("--suite odd_suites:nan", ["'odd-one'", "nan at index 1"]),
        ("--suite odd_suites:reward", ["'odd-one'", "reward inf"]),
    ],
)
def test_train_refuses_in_one_line(call: Call, tmp_path: Path, arguments: str, named: list[str]) -> None:
    fill = [] if "--steps-per-task" in arguments else ["--steps-per-task", "40", "--random-steps", "40"]
    code, said = call(train.main, " ".join([arguments, *fill, "--baseline none", f"--runs-dir {tmp_path}/runs"]))
    assert code == 2
    assert said.count("\n") == 1
    assert "Traceback" not in said
    for words in named:
        assert words in said


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_said(call: Call) -> None:
    code, said = call(train.main, "--device cuda")
    assert code == 2
    assert "'cuda'" in said
    assert "--device auto" in said


def test_a_runs_folder_that_cannot_be_written_is_found_before_training(call: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = call(train.main, f"--runs-dir {tmp_path}/file/runs")
    assert code == 2
    assert said.count("\n") == 1
    assert f"{tmp_path}/file/runs" in said
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_name_never_leaves_the_runs_folder(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = (
        "from tests.envs.scripted import *\nsuite = suite_of(lambda: Scripted([CALM, (0, False, True)]), name=NAME)"
    )
    (tmp_path / "escaping.py").write_text(module.replace("NAME", repr("../../outside/x")))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    short = " ".join(TINY).replace("--tasks reach push ", "")
    code, said = call(train.main, f"--suite escaping:suite --runs-dir deep/runs --baseline none {short}")
    assert (code, said) == (0, "")
    assert (tmp_path / "deep/runs/outside/x/care/seed0/result.json").exists()
    assert {path.name for path in tmp_path.iterdir()} <= {"deep", "escaping.py", "__pycache__"}


@pytest.mark.usefixtures("_suites")
def test_check_names_the_problem_and_ends_with_2(call: Call) -> None:
    code, _ = call(check.main, "odd_suites:nan")
    assert code == 2
    assert call(check.main, "odd_suites:good")[0] == 0
    assert call(check.main, "")[0] == 2


def test_other_commands_refuse_in_one_line_too(call: Call, tmp_path: Path) -> None:
    for main, arguments, named in (
        (evaluate.main, f"{tmp_path}", "is no run"),
        (evaluate.main, f"{tmp_path} --episodes 0", "--episodes is 0"),
        (evaluate.main, f"{tmp_path} --record x.avi", ".gif"),
        (list_command.main, "--suite tabeltop", "Did you mean 'tabletop'"),
    ):
        code, said = call(main, arguments)
        assert (code, said.count("\n")) == (2, 1)
        assert named in said


def test_the_process_itself_ends_with_2_and_one_line() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "mtrl.train", "--agent", "caer"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ,
    )
    assert process.returncode == 2
    assert process.stdout == ""
    assert process.stderr.count("\n") == 1
