"""Whole runs, small: what they write, that they repeat, and that watching them changes nothing."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agents.presets import PRESETS
from mtrl import runs
from tests.mtrl.conftest import TINY, Run

RESULT_KEYS = [
    "suite",
    "agent",
    "seed",
    "steps_per_task",
    "env_steps",
    "updates",
    "wall_seconds",
    "parameters",
    "device",
    "mean",
    "tasks",
]


def rows_of(path: Path) -> list[dict[str, str]]:
    with (path / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def weights_of(path: Path) -> torch.Tensor:
    return torch.cat([value.flatten().float() for _, value in sorted(load_file(path / "weights.safetensors").items())])


def test_a_run_and_its_baseline_write_what_was_promised(tiny_run: Run) -> None:
    folder = tiny_run()
    for agent in ("care", "single-task"):
        path = folder / "tabletop" / agent / "seed0"
        names = {file.name.split(".")[0] for file in path.iterdir()}
        assert names == {"config", "metrics", "result", "weights", "events"}
        result = json.loads((path / "result.json").read_text())
        assert list(result) == RESULT_KEYS
        assert list(result["tasks"]) == ["reach", "push"]
        for scores in (result["mean"], *result["tasks"].values()):
            assert {"success_any", "success_last", "return"} <= set(scores)
        assert all(task["episodes"] == 2 for task in result["tasks"].values())
        # 240 steps per task in steps of 4; 20 of the 60 are random, one update after each of the others
        assert (result["steps_per_task"], result["env_steps"], result["updates"]) == (240, 480, 40)
        assert (result["suite"], result["agent"], result["seed"], result["device"]) == ("tabletop", agent, 0, "cpu")


def test_tags_and_steps_are_those_of_stable_baselines3_per_task_of_steps(tiny_run: Run) -> None:
    path = tiny_run("--baseline", "none") / "tabletop/care/seed0"
    rows = rows_of(path)
    tags = {row["tag"] for row in rows}
    assert {
        "eval/success_rate",
        "eval/success_rate/reach",
        "eval/success_last/push",
        "eval/return/push",
        "train/actor_loss",
        "train/critic_loss",
        "train/ent_coef",
        "train/ent_coef/push",
        "train/n_updates",
        "train_attention/entropy",
        "train_attention/entropy/reach",
        "time/fps",
        "time/total_timesteps",
    } <= tags
    assert {int(row["step"]) for row in rows} == {80, 160, 240}
    totals = {int(row["step"]): float(row["value"]) for row in rows if row["tag"] == "time/total_timesteps"}
    assert totals == {80: 160.0, 160: 320.0, 240: 480.0}
    assert [row["tag"] for row in rows].count("eval/return/push") == 3
    # episodes are 100 steps long: the first ends at step 100 of each copy, that is at 400 per task
    assert "rollout/ep_rew_mean" not in tags


def test_training_episodes_are_logged_as_they_end(tiny_run: Run) -> None:
    path = tiny_run("--baseline", "none", "--steps-per-task", "480") / "tabletop/care/seed0"
    rollout = {row["tag"]: row for row in rows_of(path) if row["tag"].startswith("rollout/")}
    assert set(rollout) == {"rollout/ep_rew_mean", "rollout/ep_len_mean", "rollout/success_rate"}
    assert {row["step"] for row in rollout.values()} == {"400"}
    assert float(rollout["rollout/ep_len_mean"]["value"]) == 100


def test_tensorboard_shows_what_the_csv_says(tiny_run: Run) -> None:
    path = tiny_run("--baseline", "none") / "tabletop/care/seed0"
    events = EventAccumulator(str(path), size_guidance={"images": 0, "scalars": 0}).Reload()
    for tag in ("eval/success_rate", "eval/return/reach", "train/critic_loss", "train/ent_coef/push"):
        written = [(int(row["step"]), float(row["value"])) for row in rows_of(path) if row["tag"] == tag]
        shown = [(event.step, event.value) for event in events.Scalars(tag)]
        assert [step for step, _ in shown] == [step for step, _ in written]
        assert [value for _, value in shown] == pytest.approx([value for _, value in written], rel=1e-4, abs=1e-6)
    pictures = events.Images("viz/attention")
    assert [picture.step for picture in pictures] == [80, 160, 240]
    assert pictures[0].width > 100
    assert "config/text_summary" in events.Tags()["tensors"]


@pytest.mark.parametrize("agent", [name for name, preset in PRESETS.items() if preset.builder])
def test_the_same_seed_gives_the_same_weights_and_another_one_others(tiny_run: Run, agent: str) -> None:
    arguments = ["--agent", agent, "--baseline", "none"]
    same = [weights_of(tiny_run(*arguments, runs_dir=name) / f"tabletop/{agent}/seed0") for name in ("one", "two")]
    assert torch.equal(*same)
    other = weights_of(tiny_run(*arguments, "--seed", "1") / f"tabletop/{agent}/seed1")
    assert not torch.equal(same[0], other)


def test_evaluation_and_log_change_nothing_in_training(tiny_run: Run) -> None:
    often = tiny_run("--baseline", "none", "--eval-every", "8", "--eval-episodes", "1", runs_dir="often")
    seldom = tiny_run("--baseline", "none", "--eval-every", "9999", runs_dir="seldom")
    assert torch.equal(*(weights_of(folder / "tabletop/care/seed0") for folder in (often, seldom)))


def test_a_finished_baseline_is_used_again(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runs, "git_state", lambda: {"commit": "abc", "changed": False})
    tiny_run()
    folder = tiny_run("--agent", "mtsac")
    assert [path.name for path in (folder / "tabletop/single-task").iterdir()] == ["seed0"]
    assert "the same run is there already" in " ".join(capsys.readouterr().out.split())


def test_the_table_at_the_end_has_agent_baseline_and_difference(
    tiny_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_run()
    said = capsys.readouterr().out
    for words in ("care", "single-task", "difference", "reach", "push", "mean"):
        assert words in said


PENDULUMS = """
from functools import partial
import gymnasium as gym
from mtrl import Task, TaskSuite
suite = TaskSuite("pendulums", [
    Task(f"g{g}", partial(gym.make, "Pendulum-v1", g=g), f"Swing up under gravity {g}.") for g in (5.0, 10.0)])
"""


def test_a_plug_in_without_success_trains_and_is_scored_by_return(
    tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_pendulums.py").write_text(PENDULUMS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    folder = tiny_run("--suite", "my_pendulums:suite", "--tasks", "g5.0", "g10.0", "--baseline", "none")
    result = json.loads((folder / "pendulums/care/seed0/result.json").read_text())
    assert result["mean"]["success_any"] is None
    assert result["tasks"]["g10.0"]["return"] < 0
    assert json.loads((folder / "pendulums/care/seed0/config.json").read_text())["task_sentences"]["g5.0"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_it_has(tmp_path: Path, number: int) -> None:
    arguments = [*TINY, "--steps-per-task", "100000000", "--replay-per-task", "1000", "--baseline", "none"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mtrl.train", *arguments, "--runs-dir", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    path = tmp_path / "tabletop/care/seed0"
    for _ in range(300):
        if (path / "metrics.csv").exists() and len((path / "metrics.csv").read_text().splitlines()) > 20:
            break
        time.sleep(0.1)
    process.send_signal(number)
    said, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "weights and metrics so far" in " ".join(said.split())
    assert errors == ""
    assert weights_of(path).isfinite().all()
    assert not (path / "result.json").exists()
