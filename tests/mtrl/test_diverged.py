"""Runs whose numbers break: exit code 1, one line, the last finite weights, and no result."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from mtrl import train
from mtrl.terminal.cli import command
from tests.mtrl.conftest import tiny

HUGE = """
import numpy as np
from functools import partial
from mtrl import Task, TaskSuite
from tests.envs.scripted import Scripted

SCRIPT = [(1e30, False, False)] * 9 + [(1e30, False, True)]
suite = TaskSuite("huge", [Task("a", partial(Scripted, SCRIPT), "Earn more than numbers can hold.")])
"""


def test_a_run_that_diverges_ends_with_1_and_one_line_and_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "huge_rewards.py").write_text(HUGE)
    monkeypatch.syspath_prepend(str(tmp_path))
    arguments = (
        "--suite huge_rewards:suite --steps-per-task 400 --random-steps 40 --log-every 40 --hidden 16 --threads 1"
    )
    monkeypatch.setattr(
        sys, "argv", ["mtrl", *arguments.split(), "--baseline", "none", "--runs-dir", str(tmp_path / "r")]
    )
    assert command(train.main)() == 1
    warning, line = capsys.readouterr().err.splitlines()
    assert "warning: task 'a': a reward of 1e+30" in warning
    assert "train/critic_loss is [inf]" in line
    assert "--learning-rate" in line
    run = tmp_path / "r" / "huge" / "care" / "seed0"
    assert str(run) in line
    assert not (run / "result.json").exists()
    assert all(weight.isfinite().all() for weight in load_file(run / "weights.safetensors").values())


def test_a_learning_rate_that_breaks_the_networks_is_not_blamed_on_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*tiny(tmp_path), "--baseline", "none", "--learning-rate", "1e30", "--final-learning-rate", "1e30"]
    monkeypatch.setattr(sys, "argv", ["mtrl", *arguments])
    assert command(train.main)() == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "--learning-rate" in line
    run = tmp_path / "tabletop" / "care" / "seed0"
    assert not (run / "result.json").exists()
    assert all(weight.isfinite().all() for weight in load_file(run / "weights.safetensors").values())
