"""Which plain agent an agent is held against: nearest in size, alike in settings; and who has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mtrl.comparison.compare import compare
from mtrl.gathering.gather import gather
from mtrl.reporting.sizes import size_matched
from tests.mtrl.made_runs import make_run


def runs(root: Path, agent: str, reach: float, parameters: int, settings: dict[str, Any] | None = None) -> None:
    """Five seeds that differ a little, in turn above and below."""
    for seed in range(5):
        scores = {"reach": reach + 0.01 * (seed % 2), "push": reach - 0.01 * (seed % 2)}
        name = f"seed{seed}-{parameters}"
        make_run(root, agent, seed, scores, parameters=parameters, settings=settings, name=name)


def told(root: Path) -> list[str]:
    return size_matched(compare(gather([root])))


def test_an_agent_is_held_against_the_plain_one_nearest_in_size(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.3, 1000)
    runs(tmp_path, "mtsac", 0.2, 1025, {"hidden": (200, 200)})
    runs(tmp_path, "mtsac", 0.9, 1010, {"hidden": (198, 198)})
    runs(tmp_path, "mtmhsac", 0.9, 1000)
    runs(tmp_path, "single-task", 0.9, 1000)
    care, other = told(tmp_path)
    label = "mtsac (hidden=198x198)"
    assert care.startswith(f"care and {label} have about the same size (1,000 and 1,010 parameters): {label} is ahead")
    assert "has the higher final score is 0.00" in care
    assert other.startswith(f"mtmhsac and {label} have about the same size")


def test_who_has_no_control_within_three_percent_is_named_with_the_way_to_one(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.3, 1000)
    runs(tmp_path, "mtmhsac", 0.3, 2000)
    runs(tmp_path, "mtsac", 0.2, 1031)
    (said,) = told(tmp_path)
    assert "for care (1,000 parameters) and mtmhsac (2,000 parameters); mtrl.sweep --size-matched" in said


def test_one_with_other_pieces_or_settings_is_no_control(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.3, 1000)
    runs(tmp_path, "mtsac", 0.2, 1001, {"aggregator": "pcgrad"})
    runs(tmp_path, "mtsac", 0.2, 1002, {"learning_rate": 0.1})
    (said,) = told(tmp_path)
    assert "for care (1,000 parameters) and mtsac (" in said
    assert "pcgrad" in said


def test_plain_agents_and_those_that_learn_alone_need_none(tmp_path: Path) -> None:
    runs(tmp_path, "mtsac", 0.2, 1000)
    runs(tmp_path, "single-task", 0.9, 5000)
    assert told(tmp_path) == []
