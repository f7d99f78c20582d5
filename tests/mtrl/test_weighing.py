"""Aggregators and samplers from the command line: what they log, task by task."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtrl import train
from tests.mtrl.conftest import metrics, read_json, tiny


def test_weights_of_tasks_and_shares_of_rows_are_logged_task_by_task(tmp_path: Path) -> None:
    pieces = ("--aggregator", "uncertainty", "--sampler", "inverse-success")
    assert train.main(tiny(tmp_path, "--agent", "mtsac", *pieces, "--baseline", "none")) == 0
    run = tmp_path / "tabletop" / "mtsac" / "seed0"
    tags = {tag for _, tag, _ in metrics(run)}
    for name in ("critic_task_weight", "actor_task_weight", "batch_share"):
        assert {f"train/{name}/reach", f"train/{name}/push"} <= tags
    last = {tag: value for _, tag, value in metrics(run)}
    assert last["train/batch_share/reach"] + last["train/batch_share/push"] == pytest.approx(1.0)
    assert last["train/critic_task_weight/reach"] != 1.0
    assert read_json(run / "config.json")["settings"]["sampler"] == "inverse-success"


def test_a_curriculum_begins_at_the_value_that_is_given_and_widens_by_return(tmp_path: Path) -> None:
    """Whatever a pendulum does in 200 steps costs it less than 5,000."""
    flags = [
        "--suite",
        "pendulum-gravity:12,4,8",
        "--agent",
        "mtsac",
        "--baseline",
        "none",
        "--runs-dir",
        str(tmp_path),
    ]
    flags += ["--steps-per-task", "48", "--random-steps", "8", "--eval-every", "16", "--eval-episodes", "1"]
    flags += ["--log-every", "8", "--hidden", "8", "--threads", "1", "--envs-per-task", "2", "--batch-per-task", "4"]
    sampler = ["--sampler", "widen-by-return", "--widen-from", "4", "--widen-return", "-5000"]
    assert train.main([*flags, *sampler]) == 0
    (run,) = (tmp_path / "pendulum-gravity-12+4+8" / "mtsac").iterdir()
    shares: dict[int, dict[str, float]] = {}
    for step, tag, value in metrics(run):
        if tag.startswith("train/batch_share/gravity-"):
            shares.setdefault(step, {})[tag.rpartition("-")[2]] = value
    assert shares[16] == {"12": 0.0, "4": 1.0, "8": 0.0}
    assert shares[32] == {"12": 0.0, "4": 0.5, "8": 0.5}
    assert shares[48]["12"] == pytest.approx(1 / 3)
