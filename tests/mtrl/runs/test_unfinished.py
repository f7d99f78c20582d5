"""A run that was stopped is played, scored and loaded, with a line that says how far it came."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mtrl
from mtrl import compare, evaluate, export
from mtrl.runs.unfinished import steps_of_weights, stopped_at
from mtrl.terminal.interrupt import Stopped
from tests.mtrl.conftest import Said, read_json, retold

Call = Callable[..., Said]


def stopped_run(runs_dir: Path) -> Path:
    """Train a tiny run of 64 steps and stop it by a signal at step 48, heard a step of both copies later."""

    def stop(status: Any) -> None:
        if status.step == 48:
            os.kill(os.getpid(), 15)

    settings = {"steps_per_task": 64, "random_steps": 8, "envs_per_task": 2, "batch_per_task": 4, "log_every": 16}
    few = {"eval_every": 32, "eval_episodes": 1, "hidden": (8,), "threads": 1, "tasks": ("reach",)}
    with pytest.raises(Stopped):
        mtrl.learn("tabletop", "mtsac", callbacks=[stop], runs_dir=runs_dir, **settings, **few)
    return runs_dir / "tabletop" / "mtsac" / "seed0"


def test_a_run_stopped_by_a_signal_says_how_far_it_came_wherever_it_is_used(
    tmp_path: Path, call: Call, refused: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    run = stopped_run(tmp_path)
    line = f"{str(run)!r} was stopped after 50 of 64 steps per task; to continue: python -m mtrl.train --resume {run}"
    for main, *arguments in (
        (evaluate.main, run, "--episodes", 1),
        (export.main, run, "--out", tmp_path / "policy.pt"),
    ):
        said = call(main, *arguments)
        assert (said.code, said.err) == (0, f"warning: {line}\n")
    told = read_json(run / "evaluation.json")
    assert (told["stopped"], told["steps_per_task"]) == (True, 50)
    mtrl.load(run)
    assert capsys.readouterr().err == f"warning: {line}\n"
    assert "is unfinished, after 50 of 64 steps per task; to continue:" in refused(compare.main, run)


def test_without_its_checkpoint_there_is_nothing_to_go_on_from(tmp_path: Path, call: Call) -> None:
    run = stopped_run(tmp_path)
    shutil.rmtree(run / "checkpoints")
    said = call(evaluate.main, run, "--episodes", 1)
    assert said.err == f"warning: {str(run)!r} was stopped after 50 of 64 steps per task\n"


def test_a_run_that_a_callback_ended_says_it_in_its_result(care_run: Path, call: Call) -> None:
    retold(care_run / "result.json", stopped=True, steps_per_task=160)
    said = call(evaluate.main, care_run, "--episodes", 1)
    assert said.err == f"warning: {str(care_run)!r} was stopped after 160 of 256 steps per task\n"
    assert read_json(care_run / "evaluation.json")["steps_per_task"] == 160


def test_a_finished_run_says_nothing_and_its_weights_know_their_steps(care_run: Path, call: Call) -> None:
    said = call(evaluate.main, care_run, "--episodes", 1)
    assert (said.code, said.err) == (0, "")
    assert "stopped" not in read_json(care_run / "evaluation.json")
    assert (stopped_at(care_run), steps_of_weights(care_run)) == ({}, 256)


def test_a_run_that_was_trained_and_not_scored_is_told_from_one_that_was_stopped(care_run: Path, call: Call) -> None:
    (care_run / "result.json").unlink()
    said = call(evaluate.main, care_run, "--episodes", 1)
    assert said.err.endswith("after 256 of 256 steps per task, before it was scored\n")


def test_a_killed_run_without_weights_is_refused_with_its_way_out(tmp_path: Path, refused: Callable[..., str]) -> None:
    run = stopped_run(tmp_path)
    (run / "weights.safetensors").unlink()
    assert f"resume it: python -m mtrl.train --resume {run}" in refused(evaluate.main, run)
    assert "is unfinished, after 50 of 64 steps per task" in refused(compare.main, run)


@pytest.mark.parametrize("steps", ["many", -3, [1], 10**30, None])
def test_what_is_no_number_of_steps_is_not_repeated(care_run: Path, call: Call, steps: Any) -> None:
    retold(care_run / "result.json", stopped=True, steps_per_task=steps)
    said = call(evaluate.main, care_run, "--episodes", 1)
    assert said.err.endswith("was stopped after an unknown number of 256 steps per task\n")
