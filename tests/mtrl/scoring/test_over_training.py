"""Two runs compared over training: areas, steps to .8, who is ahead, and the error due to the number of episodes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mtrl.scoring.over_training import over_training, over_training_table, verdict_of_one_seed

AGENTS = ("care", "single-task")


def run_of(path: Path, curves: Mapping[str, Sequence[float]], group: str = "") -> dict[str, Any]:
    """Write the log of a run whose success was evaluated every 100 steps -> its result."""
    path.mkdir(parents=True)
    lines = ["step,seconds,tag,value"]
    for name, values in curves.items():
        lines += [f"{100 * (k + 1)},0.0,eval/success_rate/{name},{value}" for k, value in enumerate(values)]
    (path / "metrics.csv").write_text("\n".join(lines) + "\n")
    steps = 100 * max(map(len, curves.values()))
    ended = {"success_any": 1.0, "success_last": 1.0, "return": 9.0, "episodes": 5}
    tasks = {name: {**ended, "group": f"{group}{k % 2}" if group else ""} for k, name in enumerate(curves)}
    facts = {"path": str(path), "suite": "some", "agent": path.name, "seed": 0}
    return {**facts, "steps_per_task": steps, "tasks": tasks}


def test_areas_and_steps_are_those_of_the_curves(tmp_path: Path) -> None:
    care = run_of(tmp_path / "care", {"a": [0.5, 1.0], "b": [0.0, 0.0]})
    alone = run_of(tmp_path / "single-task", {"a": [0.0, 0.5], "b": [0.8, 1.0]})
    a, b, mean = over_training([care, alone], episodes=20)
    assert a.areas == pytest.approx((0.5, 0.125))  # trapezoids: (0 + .5) / 2, (.5 + 1) / 2, each over half of the steps
    assert b.areas == pytest.approx((0.0, 0.65))
    assert (a.reached, b.reached) == ((200, None), (None, 100))
    assert mean.areas == pytest.approx((0.25, 0.3875))
    assert mean.reached == (None, None)


def test_the_area_of_a_run_that_started_from_another_starts_at_its_score(tmp_path: Path) -> None:
    care = run_of(tmp_path / "care", {"a": [1.0, 1.0], "b": [1.0, 1.0]})
    entry = {"success_any": 1.0, "success_last": 1.0, "return": 9.0}
    silent = {"success_any": None, "success_last": None, "return": 9.0}
    before = {"run": "care/seed0", "tasks": {"a": {**entry, "new": False}, "b": {**silent, "new": True}}}
    alone = run_of(tmp_path / "single-task", {"a": [1.0, 1.0], "b": [1.0, 1.0]})
    a, b, mean = over_training([{**care, "before": before}, alone], episodes=20)
    assert a.areas == pytest.approx((1.0, 0.75))
    assert b.areas == pytest.approx((0.75, 0.75))
    assert mean.areas == pytest.approx((0.875, 0.75))
    assert (a.reached, b.reached) == ((0, 100), (100, 100))


def test_the_error_is_that_of_the_evaluated_episodes(tmp_path: Path) -> None:
    care = run_of(tmp_path / "care", {"a": [0.5, 1.0]})
    alone = run_of(tmp_path / "single-task", {"a": [0.0, 1.0]})
    row = over_training([care, alone], episodes=25)[0]
    uncertain, almost_certain = 0.5 * 0.5, 25.5 / 26 * 0.5 / 26  # all or none of 25 episodes is not all or none of them
    points = [(0.5, uncertain), (0.25, almost_certain), (0.5, almost_certain), (0.25, almost_certain)]
    assert row.error == pytest.approx(sum(weight**2 * variance / 25 for weight, variance in points) ** 0.5)


def test_many_tasks_are_gathered_by_group(tmp_path: Path) -> None:
    curves = {f"t{k}": [float(k % 2)] * 2 for k in range(22)}
    rows = over_training([run_of(tmp_path / name, curves, group="g") for name in AGENTS], episodes=20)
    assert [row.label for row in rows] == ["g0 (11)", "g1 (11)", "mean"]
    assert rows[1].areas == pytest.approx((0.75, 0.75))


def test_there_is_nothing_to_say_of_one_run_or_of_returns(tmp_path: Path) -> None:
    care = run_of(tmp_path / "care", {"a": [0.5, 0.5]})
    silent = run_of(tmp_path / "single-task", {"a": [0.5, 0.5]})
    log = tmp_path / "single-task" / "metrics.csv"
    log.write_text(log.read_text().replace("success_rate", "return"))
    assert over_training([care], episodes=20) == []
    assert over_training([care, silent], episodes=20) == []


def test_a_single_evaluation_is_no_curve(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, {"a": [0.5]}) for name in AGENTS]
    assert over_training(runs, episodes=20) == []


def test_the_verdict_counts_leads_beyond_the_episodes_and_states_the_limits_of_one_seed(tmp_path: Path) -> None:
    care = run_of(tmp_path / "care", {"up": [0.8, 1.0], "same": [0.5, 0.5], "down": [0.0, 0.1]})
    alone = run_of(tmp_path / "single-task", {"up": [0.0, 0.2], "same": [0.5, 0.55], "down": [0.9, 1.0]})
    rows = over_training([care, alone], episodes=20)
    sentence = verdict_of_one_seed(rows, AGENTS, seed=3)
    assert sentence.startswith("care is ahead of single-task on 1 of 3 tasks, behind on 1 (most on down, -0.67); ")
    assert "difference of areas is -0.03 ± 0.0" in sentence
    assert "This is one seed (3); others may differ by more: run mtrl.sweep --seeds 0-4" in sentence


def test_the_table_fits_eighty_columns(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, {"pick-place": [0.1, 0.9], "push": [0.0, 0.85]}) for name in AGENTS]
    rows = over_training(runs, episodes=20)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(over_training_table(rows, AGENTS, 12_000))
    text = console.export_text()
    assert "pick-place" in text
    assert "success over 12,000 steps per task" in text
    assert max(map(len, text.splitlines())) <= 80
