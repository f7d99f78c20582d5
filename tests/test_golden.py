"""The kit as a whole, end to end, learns what it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtrl import train
from tests.mtrl.conftest import read_json


def test_the_first_command_came_to_what_the_readme_says(first_command: Path) -> None:
    """One seed of each agent; over five seeds, README has .87 and .86."""
    for agent in ("care", "single-task"):
        result = read_json(first_command / "tabletop-50" / agent / "seed0" / "result.json")
        assert len(result["tasks"]) == 50
        assert result["mean"]["success_any"] >= 0.75
        assert result["mean"]["random_success_any"] <= 0.1
        assert result["steps_per_task"] == 8000


@pytest.mark.slow
def test_a_quarter_of_the_budget_solves_the_easy_tasks_and_not_the_hard_ones(tmp_path: Path) -> None:
    """CARE, seed 0, 20,000 of 80,000 steps per task, which came to .50 on average."""
    arguments = ["--suite", "tabletop", "--steps-per-task", "20000", "--baseline", "none", "--runs-dir", str(tmp_path)]
    assert train.main(arguments) == 0
    result = read_json(tmp_path / "tabletop" / "care" / "seed0" / "result.json")
    success = {name: task["success_any"] for name, task in result["tasks"].items()}
    assert {name for name in ("reach", "drawer-close", "button-press") if success[name] < 0.8} == set()
    assert result["mean"]["success_any"] >= 0.4
    assert min(success.values()) <= 0.5
