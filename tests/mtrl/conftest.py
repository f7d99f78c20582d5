"""Tiny runs, commands called in process, plug-in modules on disk, and environments whose every step is written down."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from agents.registry.presets import PRESETS
from envs.suite import Task, TaskSuite
from mtrl import report, train
from mtrl.runs import folder
from mtrl.runs.checksums import add_checksum
from mtrl.terminal.cli import command
from tests.mtrl.pages import make_runs

KIT_AGENTS = [name for name, preset in PRESETS.items() if preset.in_loop]
Main = Callable[[Sequence[str]], int]
CLEAN = {"commit": "c0ffee", "changed": False}
TINY = (
    *("--suite", "tabletop", "--tasks", "reach", "push", "--steps-per-task", "64", "--random-steps", "32"),
    *(
        "--envs-per-task",
        "2",
        "--batch-per-task",
        "4",
        "--eval-every",
        "32",
        "--eval-episodes",
        "2",
        "--log-every",
        "16",
    ),
    *("--hidden", "16", "--threads", "1"),
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def tiny(runs_dir: Path, *more: str) -> list[str]:
    """The arguments of a run of 64 steps in two tabletop tasks; flags in ``more`` replace those given."""
    given = list(TINY)
    for flag in (word for word in more if word.startswith("--")):
        if flag in given:
            start = given.index(flag)
            end = next((k for k in range(start + 1, len(given)) if given[k].startswith("--")), len(given))
            del given[start:end]
    return [*given, "--runs-dir", str(runs_dir), *more]


def metrics(run: Path) -> list[tuple[int, str, float]]:
    """The lines of a run's metrics.csv: step, tag, value."""
    with (run / "metrics.csv").open(newline="") as file:
        return [(int(row["step"]), row["tag"], float(row["value"])) for row in csv.DictReader(file)]


def weights(run: Path) -> dict[str, torch.Tensor]:
    """The weights of a run by name."""
    return load_file(run / "weights.safetensors")


def same_weights(one: Path, other: Path) -> bool:
    """Whether two runs ended with exactly the same numbers."""
    mine, theirs = weights(one), weights(other)
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text())


def line_of(source: str, comment: str) -> int:
    """The line of a module's source that ends with a comment."""
    (line,) = [number for number, text in enumerate(source.splitlines(), 1) if text.endswith(f"# {comment}")]
    return line


def retold(file: Path, **values: Any) -> None:
    """Change what a JSON file of a run says, and have its checksum say so too."""
    file.write_text(json.dumps({**read_json(file), **values}))
    add_checksum(file)


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """``call(main, "--flag", ...)``: what the console script around ``main`` returns and prints."""

    def run(main: Main, *arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["mtrl", *map(str, arguments)])
        monkeypatch.setattr(sys, "path", list(sys.path))
        capsys.readouterr()
        code = command(main)()
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def refused(call: Callable[..., Said]) -> Callable[..., str]:
    """``refused(main, "--flag", ...)``: the one line on stderr with which a command turns bad input down."""

    def run(main: Main, *arguments: object) -> str:
        said = call(main, *arguments)
        assert said.code == 2, said
        assert said.err.count("\n") == 1, said.err
        assert said.err.startswith("error: "), said.err
        assert said.err.endswith("\n")
        assert "Traceback" not in said.out + said.err
        return said.err

    return run


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run of this module is kept once it is trained."""
    return tmp_path_factory.mktemp("kept") / "run"


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """``plug_in(source, name)``: write a module into the current folder, which is made ``tmp_path``, and name it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(source: str, name: str = "my_suite") -> str:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    yield write
    for name in [p.stem for p in tmp_path.glob("*.py")]:
        sys.modules.pop(name, None)


@pytest.fixture
def clean_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kit's files are those of a commit, whatever is being edited."""
    monkeypatch.setattr(folder, "git_state", lambda: dict(CLEAN))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs folder of one CARE run and its baseline, from a clean checkout; not to be written to."""
    path = tmp_path_factory.mktemp("finished") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "git_state", lambda: dict(CLEAN))
        # 128 steps in each copy: its first episode, of 100, ends in training, so that the tags of rollouts appear.
        assert train.main(tiny(path, "--steps-per-task", "256", "--random-steps", "216", "--log-every", "32")) == 0
    return path


@pytest.fixture
def care_run(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished CARE run, to be written to."""
    return Path(shutil.copytree(finished / "tabletop" / "care" / "seed0", tmp_path / "care_run"))


class Scripted(gym.Env[np.ndarray, np.ndarray]):
    """An episode that is written down: a reward and what is said of success at each step, and how it ends.

    The observation is 100 * episode + step, counted from the last seeded reset, in every one of ``obs_size`` numbers.
    """

    def __init__(
        self,
        rewards: Sequence[float] = (1.0,),
        ends: str = "terminated",
        success: Sequence[float | None] = (),
        obs_size: int = 1,
        action_size: int = 1,
    ) -> None:
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (obs_size,))
        self.action_space = gym.spaces.Box(-1.0, 1.0, (action_size,))
        self.rewards, self.ends, self.success = rewards, ends, success
        self.episode, self.t = -1, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        self.episode, self.t = (0 if seed is not None else self.episode + 1), 0
        return self._obs(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        reward = self.rewards[self.t]
        said = self.success[self.t] if self.success else None
        self.t += 1
        over = self.t == len(self.rewards)
        info = {} if said is None else {"success": said}
        return self._obs(), reward, over and "terminated" in self.ends, over and "truncated" in self.ends, info

    def _obs(self) -> np.ndarray:
        return np.full(self.observation_space.shape, 100.0 * self.episode + self.t, dtype=np.float32)


def scripted_suite(**tasks: Callable[[], gym.Env[Any, Any]]) -> TaskSuite:
    """A suite of scripted tasks: ``name=make``."""
    return TaskSuite("scripted", [Task(name, make, f"Do {name}.") for name, make in tasks.items()])


def zeros(obs: torch.Tensor) -> torch.Tensor:
    """A policy of one action dimension that never moves."""
    return torch.zeros(*obs.shape[:2], 1)


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever begins to train fails the test."""

    def begun(*_: Any) -> None:
        raise AssertionError("training began")

    monkeypatch.setattr("mtrl.training.session.Training", begun)
    monkeypatch.setattr("mtrl.baselines.sb3_run.train_tasks", begun)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A report on two agents and two tasks, r.html, with r.md beside it."""
    make_runs(tmp_path / "runs", ("reach", "push"))
    assert report.main([str(tmp_path / "runs"), "--out", str(tmp_path / "r.html"), "--markdown"]) == 0
    return tmp_path / "r.html"
