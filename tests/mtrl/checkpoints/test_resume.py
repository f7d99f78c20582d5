"""Interrupted runs that go on: the same numbers, nothing twice in the logs, nothing changed that may not change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agents.sac import SAC
from mtrl import sweep, train
from mtrl.checkpoints.lock import LOCK, lock
from mtrl.checkpoints.saving import Saving
from tests.mtrl.conftest import KIT_AGENTS, Said, metrics, read_json, same_weights, tiny

ALONE = ("--baseline", "none")


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def killed_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``killed_at(saved, step)``: save once ``saved`` steps per task are done, and be killed at ``step``."""

    def arrange(saved: int, step: int) -> None:
        def call(self: Saving, now: Any) -> None:
            if now.span.before < saved <= now.span.step:
                assert self.save(now.span.step)
            if now.span.step >= step:
                raise Killed

        monkeypatch.setattr(Saving, "__call__", call)

    return arrange


def run_of(runs_dir: Path, agent: str, suite: str = "tabletop") -> Path:
    return runs_dir / suite / agent / "seed0"


def compared(run: Path) -> list[tuple[int, str, float]]:
    """What of a run's log follows from its seed."""
    return [row for row in metrics(run) if not row[1].startswith("time/") and row[1] != "final/wall_seconds"]


def go_on(run: Path, *flags: str) -> int:
    return train.main(["--resume", str(run), *flags])


@pytest.mark.parametrize("agent", KIT_AGENTS)
def test_a_killed_run_ends_with_the_numbers_of_one_that_was_not(
    agent: str, tmp_path: Path, killed_at: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last checkpoint is of step 40; steps 42 to 52, with a line of the log and an evaluation, are lost with it."""
    arguments = ["--agent", agent, *ALONE, "--eval-every", "24", "--log-every", "8", "--diagnose-every", "16"]
    assert train.main(tiny(tmp_path / "whole", *arguments)) == 0
    with monkeypatch.context() as patch:
        del patch
        killed_at(40, 52)
        with pytest.raises(Killed):
            train.main(tiny(tmp_path / "killed", *arguments))
    monkeypatch.undo()
    whole, run = run_of(tmp_path / "whole", agent), run_of(tmp_path / "killed", agent)
    assert not (run / "result.json").exists()
    assert go_on(run) == 0
    assert same_weights(whole, run)
    assert compared(run) == compared(whole)
    assert (run / "matrices.jsonl").read_text() == (whole / "matrices.jsonl").read_text()
    mine, theirs = (read_json(path / "result.json") for path in (run, whole))
    assert mine["tasks"] == theirs["tasks"]
    assert read_json(run / "config.json")["resumed"] == [{"step": 40, "dropped_episodes": 0}]
    assert not (run / "checkpoints").exists()
    assert not (run / LOCK).exists()
    assert board_steps(run) == board_steps(whole)


def board_steps(run: Path) -> dict[str, list[int]]:
    """The steps of each of TensorBoard's curves, as TensorBoard reads them."""
    board = EventAccumulator(str(run))
    board.Reload()
    return {tag: [event.step for event in board.Scalars(tag)] for tag in board.Tags()["scalars"]}


def test_a_run_that_was_trained_and_not_scored_is_scored_and_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("mtrl.training.session.final_scores", dies)
        with pytest.raises(Killed):
            train.main(tiny(tmp_path, "--agent", "care", *ALONE))
    run = run_of(tmp_path, "care")
    trained = (run / "weights.safetensors").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("mtrl.training.loop.Training.advance", dies)
        assert go_on(run) == 0
    assert (run / "weights.safetensors").read_bytes() == trained
    assert read_json(run / "result.json")["steps_per_task"] == 64


@pytest.fixture
def interrupted(tmp_path: Path, killed_at: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of CARE that was killed at step 52 after a checkpoint at step 40."""
    killed_at(40, 52)
    with pytest.raises(Killed):
        train.main(tiny(tmp_path / "runs", "--agent", "care", *ALONE))
    monkeypatch.undo()
    return run_of(tmp_path / "runs", "care")


def test_what_may_change_is_changed_and_the_rest_is_refused(interrupted: Path, refused: Callable[..., str]) -> None:
    line = refused(train.main, "--resume", interrupted, "--learning-rate", "0.5", "--batch-per-task", "3")
    assert "--batch-per-task, --learning-rate would make it another; it may change " in line
    assert "--device" in line
    assert "--steps-per-task" in line
    assert "remove --config" in refused(train.main, "--resume", interrupted, "--config", interrupted)
    assert go_on(interrupted, "--steps-per-task", "80", "--log-every", "4") == 0
    assert read_json(interrupted / "result.json")["steps_per_task"] == 80


def test_the_newest_of_a_folder_is_found_and_a_finished_run_is_left_alone(
    interrupted: Path, call: Callable[..., Said], refused: Callable[..., str]
) -> None:
    runs_dir = interrupted.parents[2]
    assert call(train.main, "--resume", "latest", "--runs-dir", runs_dir).code == 0
    assert (interrupted / "result.json").is_file()
    said = call(train.main, "--resume", interrupted)
    assert (said.code, said.out.splitlines()[-1]) == (0, f"{interrupted} is finished: nothing to do")
    assert "--learning-rate would make it another" in refused(
        train.main, "--resume", interrupted, "--learning-rate", "1e-4"
    )
    assert "no run in" in refused(train.main, "--resume", "latest", "--runs-dir", runs_dir)
    assert "has no checkpoint" in refused(train.main, "--resume", interrupted, "--steps-per-task", "999")
    assert "is not a run" in refused(train.main, "--resume", runs_dir)


def test_a_finished_run_that_kept_its_checkpoint_is_trained_farther(tmp_path: Path) -> None:
    assert train.main(tiny(tmp_path, "--agent", "care", *ALONE, "--keep-checkpoint")) == 0
    run = run_of(tmp_path, "care")
    assert go_on(run, "--steps-per-task", "96") == 0
    result = read_json(run / "result.json")
    assert (result["steps_per_task"], result["env_steps"]) == (96, 192)
    assert "stopped" not in result


def test_a_run_that_was_moved_goes_on_where_it_is(interrupted: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "runs"
    moved.parent.mkdir()
    interrupted.parents[2].rename(moved)
    assert go_on(run_of(moved, "care"), "--baseline", "single-task") == 0
    assert (run_of(moved, "single-task") / "result.json").is_file()


def test_a_run_that_diverges_as_it_goes_on_keeps_the_weights_that_it_had(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., Said]
) -> None:
    """It does so before the next line of the log, when weights are kept again."""
    (checkpoint,) = interrupted.glob("checkpoints/step*/state.safetensors")
    saved = [*load_file(checkpoint).values()]
    update = SAC.update

    def diverging(self: SAC, batch: Any) -> dict[str, Any]:
        return {**update(self, batch), "critic_loss": torch.tensor(torch.nan)}

    monkeypatch.setattr(SAC, "update", diverging)
    said = call(train.main, "--resume", interrupted)
    assert said.code == 1
    assert "the last finite weights are in" in said.err
    with safe_open(interrupted / "weights.safetensors", "pt") as file:
        assert file.metadata()["steps_per_task"] == "40"
        kept = [file.get_tensor(name) for name in file.keys()]  # noqa: SIM118  (it is no mapping)
    assert all(any(torch.equal(weight, other) for other in saved) for weight in kept)


def test_a_damaged_checkpoint_is_passed_over_and_with_none_left_it_is_said(
    interrupted: Path, refused: Callable[..., str]
) -> None:
    (state,) = interrupted.glob("checkpoints/step*/state.safetensors")
    state.write_bytes(state.read_bytes()[:-1] + b"x")
    line = refused(train.main, "--resume", interrupted)
    assert "none of its checkpoints is complete" in line
    assert f"{state.name} has changed since it was written" in line


def test_a_run_has_one_trainer(tmp_path: Path, interrupted: Path, refused: Callable[..., str]) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        import psutil

        (interrupted / LOCK).write_text(
            json.dumps({"pid": other.pid, "started": psutil.Process(other.pid).create_time()})
        )
        assert f"is being trained by process {other.pid}" in refused(train.main, "--resume", interrupted)
    finally:
        other.kill()
        other.wait()
    with lock(interrupted):
        assert json.loads((interrupted / LOCK).read_text())["pid"] == os.getpid()
    assert not (interrupted / LOCK).exists()


def test_sb3_keeps_no_checkpoints(tmp_path: Path, refused: Callable[..., str], finished: Path) -> None:
    run = tmp_path / "runs" / "tabletop" / "sb3" / "seed0"
    run.mkdir(parents=True)
    values = read_json(finished / "tabletop" / "care" / "seed0" / "config.json")
    from mtrl.config.defaults import default_config

    run.joinpath("config.json").write_text(json.dumps({**values, **default_config("tabletop", "sb3").to_json()}))
    assert "'sb3' has no checkpoints; train it again" in refused(train.main, "--resume", run)


def test_a_sweep_goes_on_with_a_run_that_was_killed(interrupted: Path) -> None:
    """It takes the run whatever it was told of threads, and leaves alone one with other settings."""
    other = interrupted.with_name("seed0-2")
    shutil.copytree(interrupted, other)
    values = read_json(other / "config.json")
    (other / "config.json").write_text(json.dumps({**values, "batch_per_task": 5}))
    arguments = tiny(interrupted.parents[2], *ALONE)
    further = arguments[2 : arguments.index("--runs-dir")]  # without its suite
    sweep_flags = ["--suite", "tabletop", "--agents", "care", "--seeds", "0", "--runs-dir", str(interrupted.parents[2])]
    assert sweep.main([*sweep_flags, "--", *further]) == 0
    assert read_json(interrupted / "config.json")["resumed"] == [{"step": 40, "dropped_episodes": 0}]
    assert (interrupted / "result.json").is_file()
    assert not (other / "result.json").exists()
    assert sorted(path.name for path in interrupted.parent.iterdir()) == ["seed0", "seed0-2"]
