"""A short run on the default suite learns what it should: the kit as a whole, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mtrl import train


def test_a_quarter_of_the_default_budget_solves_the_easy_tasks(tmp_path: Path) -> None:
    """CARE, seed 0, 20,000 of 80,000 steps per task. Seeds 0 to 3 stood between GOLDEN at this point."""
    arguments = ["--steps-per-task", "20000", "--baseline", "none", "--runs-dir", str(tmp_path)]
    assert train.main(arguments) == 0
    result = json.loads((tmp_path / "tabletop/care/seed0/result.json").read_text())
    success = {name: task["success_any"] for name, task in result["tasks"].items()}
    assert np.mean([success["reach"], success["drawer-close"]]) >= 0.8
    assert result["mean"]["success_any"] >= 0.25
