"""What a training ends with: tables and a verdict where curves can be compared, and a line where they cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.text import Text

from mtrl.scoring.summary import summary
from tests.mtrl.scoring.test_over_training import AGENTS, run_of


@pytest.mark.parametrize(
    ("curve", "said"), [([0.5, 1.0], "care is ahead of single-task on"), ([0.5], "evaluated more than once")]
)
def test_it_ends_with_what_one_seed_says_or_why_it_says_nothing(tmp_path: Path, curve: list[float], said: str) -> None:
    runs = [run_of(tmp_path / name, {"a": curve}) for name in AGENTS]
    *tables, last = summary(runs, 20)
    assert len(tables) == (2 if len(curve) > 1 else 1)
    assert isinstance(last, Text)
    assert said in last.plain


def test_one_run_alone_is_compared_with_nothing(tmp_path: Path) -> None:
    assert len([*summary([run_of(tmp_path / "care", {"a": [0.5, 1.0]})], 20)]) == 1
