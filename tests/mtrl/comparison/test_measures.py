"""What a task's score is, and where its curve starts, in runs made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mtrl.comparison.compare import compare
from mtrl.gathering.gather import gather
from tests.mtrl.comparison.test_comparison import add, effects
from tests.mtrl.made_runs import make_run


def test_a_run_that_started_from_another_one_starts_where_that_one_ended(tmp_path: Path) -> None:
    """Its area is (.8 + .8) / 2 over the first of four parts on the known task, and from 0 on the new one."""
    scores = {"success_last": 0.0, "return": 0.0}
    tasks = {"a": {**scores, "success_any": 0.8, "new": False}, "b": {**scores, "success_any": 0.0, "new": True}}
    for seed in range(3):
        before = {"before": {"run": "care/seed0", "tasks": tasks}}
        source = tmp_path / "first" / "care" / f"seed{seed}"
        make_run(tmp_path / "r", "care", seed, {"a": 0.8, "b": 0.8}, from_run=source, result_facts=before)
    comparison = compare(gather([tmp_path / "r"]))
    (care,) = comparison.agents
    assert care.auc is not None
    assert care.auc.value == pytest.approx((0.8 + 0.7) / 2)
    assert [care.reached[k].steps for k in range(2)] == [1000, 1000]  # their mean starts at .4
    assert [(row.task, row.steps_to_80) for row in comparison.rows[:2]] == [("a", 0), ("b", 1000)]
    assert care.seeds == (0, 1, 2)
    assert json.loads(json.dumps(comparison.to_json()))["agents"][0]["settings"]["from_run"] == str(source.parent)


def test_returns_start_at_those_of_the_run_before(tmp_path: Path) -> None:
    """Of -100 for random actions and -20 for the baseline: .5, then 1 at the first of four evaluations."""
    make_run(tmp_path, "single-task", scores={"a": -20.0}, chance={"a": -100.0})
    entry = {"success_any": None, "success_last": None, "return": -60.0, "new": False}
    before = {"before": {"run": "care/seed0", "tasks": {"a": entry}}}
    make_run(tmp_path, "care", scores={"a": -20.0}, chance={"a": -100.0}, result_facts=before)
    care = next(one for one in compare(gather([tmp_path])).agents if one.agent == "care")
    assert care.auc is not None
    assert care.auc.value == pytest.approx((0.75 + 3) / 4)


CHANCE = {"a": -100.0, "b": 0.0}


def test_returns_are_put_between_random_actions_and_single_task(tmp_path: Path) -> None:
    add(tmp_path, "care", [(-25.0, 4.0), (-75.0, 4.0)], chance=CHANCE)
    add(tmp_path, "single-task", [(-40.0, 8.0), (-60.0, 8.0)], chance=CHANCE)
    comparison = compare(gather([tmp_path]))
    assert comparison.measure == "normalised return"
    assert "0 is random actions, 1 is single-task" in comparison.measure_words
    care, alone = comparison.agents
    assert [row.score for row in comparison.rows[:4]] == pytest.approx([1.5, 0.5, 0.5, 0.5])
    assert (care.mean.value, alone.mean.value) == (pytest.approx(0.75), pytest.approx(1.0))
    assert comparison.rows[0].episode_return == -25.0
    assert effects(comparison)["b"].transfer is not None
    # The curve rises from random actions, which is 0 of the scale.
    assert comparison.rows[1].auc == pytest.approx(0.5 * 7 / 8)
    assert comparison.rows[1].steps_to_50 == 1000


@pytest.mark.parametrize("why", ["no baseline", "worse than random", "random not known"])
def test_returns_stay_as_they_are_where_one_of_them_has_no_scale(tmp_path: Path, why: str) -> None:
    add(tmp_path, "care", [(-25.0, 4.0)] * 2, chance=CHANCE)
    chance = {"a": -100.0} if why == "random not known" else CHANCE
    add(
        tmp_path,
        "mtsac" if why == "no baseline" else "single-task",
        [(-40.0, -1.0 if why == "worse than random" else 8.0)] * 2,
        chance=chance,
    )
    comparison = compare(gather([tmp_path]))
    assert comparison.measure == "return"
    assert comparison.agents[0].mean.value == pytest.approx(-10.5)
    assert comparison.agents[0].reached == ()
    assert comparison.agents[0].auc is not None
    assert comparison.agents[0].auc.value == pytest.approx(-10.5)  # flat before the first evaluation
    assert all(effect.transfer is None for effect in comparison.effects)
