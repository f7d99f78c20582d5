"""Groups of many tasks, compared as tasks are: by the means over their tasks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mtrl.comparison.by_group import compare_groups, groups_of_runs
from mtrl.comparison.compare import compare
from mtrl.gathering.gather import Gathered, gather
from tests.mtrl.made_runs import make_run

GROUPS = {f"t{k}": "even" if k % 2 == 0 else "odd" for k in range(22)}


def runs(root: Path, gain: float, chance: dict[str, float] | None = None) -> Gathered:
    """Odd tasks are learned ``gain`` better together than alone, evenly spread around the mean of their group."""
    for agent in ("care", "single-task"):
        for seed in range(3):
            more = gain * (agent == "care")
            scores = {task: 0.4 + 0.01 * (k // 2 - 5) + 0.01 * seed + more * (k % 2) for k, task in enumerate(GROUPS)}
            curves = {task: [0.0, score, score, score] for task, score in scores.items()}
            make_run(root, agent, seed, scores, curves, groups=GROUPS, chance=chance)
    return gather([root])


def test_a_group_has_its_tasks_mean_score_curve_and_a_verdict_of_its_own(tmp_path: Path) -> None:
    gathered = runs(tmp_path, 0.3)
    groups = groups_of_runs(gathered)
    assert {group: len(own) for group, own in groups.items()} == {"even": 11, "odd": 11}
    found = compare_groups(gathered, compare(gathered), groups)
    assert found is not None
    assert found.tasks == ("even", "odd")
    even, odd = found.effects
    assert (even.score, odd.score, odd.baseline_score) == pytest.approx((0.41, 0.71, 0.41))
    assert (even.verdict, odd.verdict) == ("no difference at this number of seeds", "helped")
    # The curve is up at the second of four evaluations: (1/4) / 2 + 1/2 of the final score.
    assert odd.area is not None
    assert odd.area.value == pytest.approx(0.3 * 0.625)
    (band,) = (band for band in found.bands if (band.agent, band.task) == ("care", "odd"))
    assert band.mean == pytest.approx((0.0, 0.71, 0.71, 0.71))


def test_a_groups_area_starts_at_its_tasks_mean_score_before_training(tmp_path: Path) -> None:
    scores = dict.fromkeys(GROUPS, 0.5)
    entries = {task: {"success_any": 0.5, "success_last": 0.5, "return": 0.0} for task in list(GROUPS)[::2]}
    make_run(tmp_path, "care", 0, scores, groups=GROUPS, result_facts={"before": {"run": "r", "tasks": entries}})
    make_run(tmp_path, "single-task", 0, scores, groups=GROUPS)
    gathered = gather([tmp_path])
    found = compare_groups(gathered, compare(gathered), groups_of_runs(gathered))
    assert found is not None
    # A quarter of the steps at a mean of .5 rather than .25, on the even tasks alone.
    areas = [None if effect.area is None else effect.area.value for effect in found.effects]
    assert areas == pytest.approx([0.25 / 4, 0.0])


def test_a_groups_difference_is_known_more_finely_than_that_of_its_tasks(tmp_path: Path) -> None:
    """What n tasks say together is finer than what each of them says, by the root of n."""
    gathered = runs(tmp_path, 0.06)
    comparison = compare(gathered)
    found = compare_groups(gathered, comparison, groups_of_runs(gathered))
    assert found is not None
    (odd,) = (effect for effect in found.effects if effect.task == "odd")
    alone = [effect.final for effect in comparison.effects if effect.task in ("t1", "t3")]
    assert odd.final.high is not None
    assert odd.final.low is not None
    assert all(odd.final.high - odd.final.low < gap.high - gap.low for gap in alone if gap.high and gap.low)
    assert np.isclose(odd.final.value, 0.06)


def test_a_single_group_of_all_tasks_has_the_intervals_of_all_tasks_together(tmp_path: Path) -> None:
    """Its areas and bands were once taken to be as coarse as those of one task."""
    for agent, more in (("care", 0.0), ("single-task", 0.02)):
        for seed in range(3):
            scores = {f"t{k}": 0.5 + more + 0.002 * seed for k in range(24)}
            curves = {task: [0.0, score, score, score] for task, score in scores.items()}
            make_run(tmp_path, agent, seed, scores, curves, groups=dict.fromkeys(scores, "all"))
    gathered = gather([tmp_path])
    comparison = compare(gathered)
    found = compare_groups(gathered, comparison, groups_of_runs(gathered))
    assert found is not None
    ((group,), (overall,)) = (found.effects, comparison.overall)
    assert group.area is not None
    assert overall.area is not None
    assert (group.area.low, group.area.high) == pytest.approx((overall.area.low, overall.area.high))
    ends = [
        (band.low, band.high)
        for bands in (found.bands, comparison.bands)
        for band in bands
        if band.task in ("all", None)
    ]
    assert np.allclose(ends[:2], ends[2:])


def test_a_group_of_tasks_that_are_scored_differently_is_not_compared(tmp_path: Path) -> None:
    gathered = runs(tmp_path, 0.3)
    for run in gathered.runs:
        run.result["tasks"]["t0"]["success_any"] = None
    assert compare_groups(gathered, compare(gathered), groups_of_runs(gathered)) is None
