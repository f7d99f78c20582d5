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
