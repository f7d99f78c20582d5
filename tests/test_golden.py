"""A short run on the ten tabletop tasks learns what it should: the kit as a whole, end to end."""

from __future__ import annotations

import json
from pathlib import Path

from mtrl import train


def test_a_quarter_of_the_budget_solves_the_easy_tasks_and_not_the_hard_ones(tmp_path: Path) -> None:
    """CARE, seed 0, 20,000 of 80,000 steps per task, which came to .50 on average."""
    arguments = ["--suite", "tabletop", "--steps-per-task", "20000", "--baseline", "none", "--runs-dir", str(tmp_path)]
    assert train.main(arguments) == 0
    result = json.loads((tmp_path / "tabletop/care/seed0/result.json").read_text())
    success = {name: task["success_any"] for name, task in result["tasks"].items()}
    assert {name for name in ("reach", "drawer-close", "button-press") if success[name] < 0.8} == set()
    assert result["mean"]["success_any"] >= 0.4
    assert min(success.values()) <= 0.5
