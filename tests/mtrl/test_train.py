"""Whole runs, small: what they write, how much they learn, that they repeat, and that a signal ends them in order."""

from __future__ import annotations

import math
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mtrl import train
from mtrl.runs.checksums import CHECKSUMS
from mtrl.runs.folder import GUARDED
from tests.mtrl.conftest import CLEAN, KIT_AGENTS, metrics, read_json, same_weights, tiny, weights

MEASURES = {"success_any", "success_last", "return"}
FLOOR = {f"random_{measure}" for measure in MEASURES}
RESULT = {
    "suite",
    "agent",
    "seed",
    "steps_per_task",
    "env_steps",
    "updates",
    "wall_seconds",
    "cpu_seconds",
    "parameters",
    "device",
    "precision",
}
PENDULUMS = """
    from functools import partial
    import gymnasium as gym
    from mtrl import Task, TaskSuite

    suite = TaskSuite("pendulums", [
        Task(f"g{g}", partial(gym.make, "Pendulum-v1", g=float(g)), f"Swing up under gravity {g}.") for g in (5, 10)
    ])
"""


def trained(runs_dir: Path, *more: str, agent: str = "mtsac", suite: str = "tabletop", seed: int = 0) -> Path:
    """Train ``agent`` alone -> its run folder."""
    arguments = tiny(runs_dir, "--agent", agent, "--seed", str(seed), "--baseline", "none", *more)
    assert train.main(arguments) == 0
    return runs_dir / suite / agent / f"seed{seed}"


@pytest.mark.parametrize("agent", ["care", "single-task"])
def test_agent_and_baseline_write_the_same_files_and_the_promised_result(finished: Path, agent: str) -> None:
    run = finished / "tabletop" / agent / "seed0"
    names = [path.name for path in run.iterdir()]
    (events,) = [name for name in names if name.startswith("events.out.tfevents")]
    assert {*names} == {*GUARDED, CHECKSUMS, events}
    result = read_json(run / "result.json")
    assert set(result) == RESULT | {"mean", "tasks", "protocol"}
    assert set(result["mean"]) == MEASURES | FLOOR
    assert list(result["tasks"]) == ["reach", "push"]
    assert all(set(scores) == MEASURES | FLOOR | {"episodes"} for scores in result["tasks"].values())
    assert [scores["episodes"] for scores in result["tasks"].values()] == [2, 2]
    told = [result[name] for name in ("suite", "agent", "seed", "device", "steps_per_task", "env_steps")]
    assert told == ["tabletop", agent, 0, "cpu", 256, 512]
    for measure in MEASURES | FLOOR:
        one, other = (scores[measure] for scores in result["tasks"].values())
        assert result["mean"][measure] == pytest.approx((one + other) / 2)
    config = read_json(run / "config.json")
    assert (config["agent"], config["git"], config["context_source"]) == (agent, CLEAN, "shipped")
    assert list(config["task_sentences"]) == ["reach", "push"]


def test_the_number_of_parameters_is_that_of_the_weights_that_learn(finished: Path) -> None:
    run = finished / "tabletop" / "single-task" / "seed0"
    learned = {name: weight for name, weight in weights(run).items() if "target" not in name}
    assert read_json(run / "result.json")["parameters"] == sum(weight.numel() for weight in learned.values())


def test_the_tags_are_stable_baselines3s_and_those_per_task_end_in_its_name(finished: Path) -> None:
    lines = metrics(finished / "tabletop" / "care" / "seed0")
    tags = {tag for _, tag, _ in lines}
    assert tags >= {"rollout/ep_rew_mean", "rollout/ep_len_mean", "rollout/success_rate", "time/fps"}
    assert tags >= {"train/actor_loss", "train/critic_loss", "train/ent_coef", "train_attention/entropy"}
    for task in ("reach", "push"):
        assert tags >= {f"eval/success_rate/{task}", f"eval/return/{task}", f"train/ent_coef/{task}"}
    steps = {tag: [step for step, own, _ in lines if own == tag] for tag in tags}
    assert steps["eval/success_rate"] == steps["eval/return/push"] == [32, 64, 96, 128, 160, 192, 224, 256]
    assert steps["rollout/ep_rew_mean"] == [224]  # both copies of both tasks end their episode of 100 steps at 200
    assert steps["train/critic_loss"] == [224, 256]  # learning begins at 216


def test_means_over_tasks_stand_beside_the_tasks_own_numbers(finished: Path) -> None:
    values = {(step, tag): value for step, tag, value in metrics(finished / "tabletop" / "care" / "seed0")}
    for tag in ("eval/return", "train/ent_coef", "train/q_mean", "train_attention/entropy"):
        mean, one, other = (values[256, name] for name in (tag, f"{tag}/reach", f"{tag}/push"))
        assert mean == pytest.approx((one + other) / 2, rel=1e-4), tag
    assert 0.0 < values[256, "train_attention/entropy"] <= math.log(4) + 1e-4  # four encoders
    assert values[224, "rollout/ep_len_mean"] == 100.0
    assert values[256, "time/total_timesteps"] == 512.0  # over both tasks; the x axis is steps in each


@pytest.mark.parametrize(
    ("steps", "random", "copies", "per_step", "done", "updates"),
    [
        (64, 32, 2, 1, 64, 16),  # 32 steps of both copies, the first 16 at random
        (65, 32, 2, 1, 66, 17),  # one more, which passes the end
        (64, 31, 2, 3, 64, 48),  # still 16 at random: the last of them begins at 30
        (10, 0, 4, 1, 12, 3),  # begins to learn at once
        (8, 7, 2, 1, 8, 0),  # ends as it would begin
    ],
)
def test_the_number_of_updates_follows_from_the_schedule(
    tmp_path: Path, steps: int, random: int, copies: int, per_step: int, done: int, updates: int
) -> None:
    budget = ["--steps-per-task", str(steps), "--random-steps", str(random), "--envs-per-task", str(copies)]
    run = trained(tmp_path, *budget, "--updates-per-step", str(per_step), "--eval-episodes", "1")
    result = read_json(run / "result.json")
    assert (result["steps_per_task"], result["env_steps"], result["updates"]) == (done, 2 * done, updates)


@pytest.mark.parametrize("agent", KIT_AGENTS)
def test_every_preset_learns_from_updates_and_from_nothing_else(tmp_path: Path, agent: str) -> None:
    """Random steps leave the weights as the seed made them; 16 updates move every one that is not a buffer."""
    still = trained(tmp_path / "still", "--random-steps", "63", agent=agent)
    short = trained(tmp_path / "short", "--random-steps", "7", "--steps-per-task", "8", agent=agent)
    moved = trained(tmp_path / "moved", agent=agent)
    before, early, after = weights(still), weights(short), weights(moved)
    assert [n for n in before if not torch.equal(before[n], early[n]) and "_scale." not in n] == []  # which observe
    unmoved = [name for name in before if torch.equal(before[name], after[name])]
    assert [name for name in unmoved if not name.endswith((".known", ".decided", ".choice"))] == []


@pytest.mark.parametrize("agent", KIT_AGENTS)
def test_the_same_seed_gives_the_same_weights_and_scores_and_another_one_others(tmp_path: Path, agent: str) -> None:
    one, again = (trained(tmp_path / name, agent=agent) for name in ("one", "again"))
    other = trained(tmp_path / "other", agent=agent, seed=1)
    assert same_weights(one, again)
    assert not same_weights(one, other)
    scores = [read_json(run / "result.json")["tasks"] for run in (one, again)]
    assert scores[0] == scores[1]


def test_how_often_is_evaluated_changes_nothing_in_training(tmp_path: Path) -> None:
    often = trained(tmp_path / "often", "--eval-every", "2", "--eval-episodes", "1", agent="care")
    never = trained(tmp_path / "never", "--eval-every", "100000", agent="care")
    assert same_weights(often, never)


def test_how_often_is_logged_changes_nothing_in_training(tmp_path: Path) -> None:
    """The learning rate falls over the run, in step with the run and not with its log."""
    falling = ["--learning-rate", "1e-2", "--final-learning-rate", "1e-4"]
    often, never = (trained(tmp_path / every, *falling, "--log-every", every) for every in ("2", "100000"))
    assert same_weights(often, never)


def test_a_subset_of_tasks_is_trained_in_the_suites_order(tmp_path: Path) -> None:
    run = trained(tmp_path, "--tasks", "door-open", "reach")
    assert list(read_json(run / "result.json")["tasks"]) == ["reach", "door-open"]


@pytest.mark.usefixtures("clean_checkout")
def test_an_equal_baseline_that_is_there_already_is_used_again(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs_dir = Path(shutil.copytree(finished, tmp_path / "runs"))
    budget = ["--steps-per-task", "256", "--random-steps", "216", "--log-every", "32"]
    assert train.main(tiny(runs_dir, *budget, "--agent", "mtsac")) == 0
    assert [path.name for path in (runs_dir / "tabletop" / "single-task").iterdir()] == ["seed0"]
    said = capsys.readouterr().out
    assert "single-task: the same run already exists" in said
    assert "difference" in said


@pytest.mark.usefixtures("clean_checkout")
def test_a_baseline_of_another_budget_is_trained_anew_beside_it(finished: Path, tmp_path: Path) -> None:
    runs_dir = Path(shutil.copytree(finished, tmp_path / "runs"))
    assert train.main(tiny(runs_dir, "--agent", "mtsac")) == 0
    folder = runs_dir / "tabletop" / "single-task"
    assert sorted(path.name for path in folder.iterdir()) == ["seed0", "seed0-2"]
    assert read_json(folder / "seed0-2" / "result.json")["steps_per_task"] == 64


def test_an_agent_that_is_its_own_baseline_is_trained_once(tmp_path: Path) -> None:
    assert train.main(tiny(tmp_path, "--agent", "single-task", "--baseline", "single-task")) == 0
    assert [path.name for path in (tmp_path / "tabletop").iterdir()] == ["single-task"]
    assert [path.name for path in (tmp_path / "tabletop" / "single-task").iterdir()] == ["seed0"]


def test_the_table_states_agent_baseline_and_difference_task_by_task(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(tiny(tmp_path)) == 0
    one, other = (
        read_json(tmp_path / "tabletop" / agent / "seed0" / "result.json") for agent in ("care", "single-task")
    )
    table = capsys.readouterr().out.partition("over training")[0]
    rows = [line.split("│")[1:6] for line in table.splitlines() if line.startswith("│")]
    cells = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}
    for name in ("reach", "push"):
        ours, theirs = (
            [result["tasks"][name][key] for key in ("success_any", "success_last")] for result in (one, other)
        )
        floor = [one["tasks"][name][f"random_{key}"] for key in ("success_any", "success_last")]
        expected = [" ".join(f"{value:.2f}" for value in pair) for pair in (ours, theirs, floor)]
        difference = " ".join(f"{a - b:+.2f}" for a, b in zip(ours, theirs, strict=True))
        assert cells[name] == [*expected[:2], difference, expected[2]]
    assert {*cells} - {"return"} == {"reach", "push", "mean"}


def test_a_plug_in_without_success_trains_and_is_scored_by_its_returns(
    plug_in: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = plug_in(PENDULUMS)
    flags = ["--suite", f"{name}:suite", "--tasks", "g5", "g10", "--eval-every", "64"]
    run = trained(tmp_path / "runs", *flags, agent="care", suite="pendulums")
    result = read_json(run / "result.json")
    assert result["suite"] == "pendulums"
    for scores in (result["mean"], *result["tasks"].values()):
        assert scores["success_any"] is scores["success_last"] is None
        assert -200 * 16.2737 < scores["return"] < 0.0  # 200 steps, each costs pi^2 + 0.1 * 8^2 + 0.001 * 2^2 at most
    tags = {tag for _, tag, _ in metrics(run)}
    assert {"eval/return", "eval/return/g5", "eval/return/g10"} <= tags
    assert [tag for tag in tags if "success" in tag] == []
    assert "pendulums: return over 2 episodes" in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_a_run_that_keeps_its_weights_and_metrics_and_has_no_result(
    tmp_path: Path, number: signal.Signals
) -> None:
    endless = tiny(tmp_path, "--steps-per-task", "100000000", "--replay-per-task", "1000", "--baseline", "none")
    process = subprocess.Popen(
        [sys.executable, "-m", "mtrl.train", *endless], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    run = tmp_path / "tabletop" / "care" / "seed0"
    try:
        begin = time.monotonic()
        while not ((run / "metrics.csv").exists() and "critic_loss" in (run / "metrics.csv").read_text()):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() - begin < 60
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 128 + number
    assert err == ""
    assert "weights and metrics so far" in out
    assert all(weight.isfinite().all() for weight in weights(run).values())
    assert len(metrics(run)) > 0
    assert not (run / "result.json").exists()
