"""An agent's own pictures are in the report under their names, and so are weights of tasks over time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtrl.gathering.run import load_run
from mtrl.reporting.insight import read_tables
from mtrl.reporting.own_pictures import TIMES, Picture, own_pictures
from tests.mtrl.made_runs import make_run

TABLE = {"rows": ["reach", "push"], "columns": ["1", "2"]}


def pictures(
    root: Path, tables: list[dict[str, Any]], weights: dict[str, list[float]], seeds: int = 1
) -> list[Picture]:
    """Those of seeds that wrote the same tables, and, by tag, values at rising steps."""
    runs = []
    for seed in range(seeds):
        path = make_run(root, "moore", seed)
        (path / "matrices.jsonl").write_text("".join(json.dumps({**TABLE, **one}) + "\n" for one in tables))
        with (path / "metrics.csv").open("a") as file:
            for tag, values in weights.items():
                file.writelines(f"{100 * (k + 1)},1.00,{tag},{value}\n" for k, value in enumerate(values))
        runs.append(load_run(path))
    return own_pictures(runs, [read_tables(run.path) for run in runs])


def test_a_picture_is_that_of_the_end_of_one_seed_by_its_name(tmp_path: Path) -> None:
    values = [[0.1, -0.9], [0.7, 0.3]]
    tables = [
        {"step": 10, "name": "actor_expert_weights", "values": [[0.0, 0.0], [0.0, 0.0]]},
        {"step": 20, "name": "actor_expert_weights", "values": values},
        {"step": 20, "name": "mine", "values": values},
        {"step": 20, "name": "attention", "values": values},
        {"step": 20, "name": "gradient_cosine", "values": values},
    ]
    first, second = pictures(tmp_path, tables, {}, seeds=2)
    assert first.title == "Actor expert weights"
    assert first.note == "How each task weighs the experts; seed 0, at the end of training."
    assert first.table.values.tolist() == values
    assert (second.title, second.note.partition(";")[0]) == ("Mine", "As the agent reports it")


def test_weights_over_time_are_shares_at_a_few_steps(tmp_path: Path) -> None:
    rising = [1.0 * (k + 1) for k in range(40)]
    weights = {"train/critic_task_weight/reach": rising, "train/critic_task_weight/push": [1.0] * 40}
    (picture,) = pictures(tmp_path, [], weights, seeds=2)
    assert picture.title == "Weights of tasks in the critics' update over training"
    assert picture.table.rows == ("reach", "push")
    assert (picture.table.columns[0], picture.table.columns[-1]) == ("100", "4,000")
    assert len(picture.table.columns) == TIMES
    assert picture.table.values[:, 0].tolist() == [0.5, 0.5]
    assert picture.table.values[0, -1] == pytest.approx(40 / 41)
    np.testing.assert_allclose(picture.table.values.sum(axis=0), 1.0)


def test_a_task_without_weights_leaves_the_picture_out(tmp_path: Path) -> None:
    assert pictures(tmp_path, [], {"train/batch_share/reach": [1.0]}) == []
