"""Small runs for tests: two tabletop tasks, tiny networks, a budget of seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mtrl import train
from mtrl.cli import command

_BUDGET = "--tasks reach push --steps-per-task 240 --random-steps 80 --envs-per-task 4 --batch-per-task 8"
_WATCH = "--eval-every 80 --log-every 80 --eval-episodes 2 --hidden 16 --threads 1"
TINY = f"{_BUDGET} {_WATCH}".split()
Run = Callable[..., Path]


@pytest.fixture
def tiny_run(tmp_path: Path) -> Run:
    """Train small in process: ``tiny_run("--agent", "mtsac")`` -> the runs folder."""

    def run(*arguments: str, runs_dir: str = "runs") -> Path:
        where = tmp_path / runs_dir
        assert train.main([*TINY, "--runs-dir", str(where), *arguments]) == 0
        return where

    return run


Call = Callable[[Callable[[Sequence[str]], int], str], tuple[int, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command as its script does -> exit code and stderr."""

    def run(main: Callable[[Sequence[str]], int], arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["mtrl", *arguments.split()])
        code = command(main)()
        return code, capsys.readouterr().err

    return run
