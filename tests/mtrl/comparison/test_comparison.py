"""Comparisons of runs made by hand: every number is worked out here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mtrl.comparison.compare import compare
from mtrl.comparison.outcomes import (
    AHEAD,
    BEHIND,
    BETTER,
    FEW_SEEDS,
    HELPED,
    HURT,
    ONE_SEED,
    SAME,
    WORSE,
    Comparison,
    TaskEffect,
)
from mtrl.errors import UsageError
from mtrl.gathering.gather import gather
from tests.mtrl.made_runs import make_run

UP = (0.25, 0.5, 0.8, 1.0)  # area: (.125 + .375 + .65 + .9) / 4 = .5125


def add(root: Path, agent: str, scores: Sequence[Sequence[float]], tasks: str = "ab", **options: object) -> None:
    """Write a run per row of ``scores``, flat curves at the task's score."""
    for seed, row in enumerate(scores):
        make_run(root, agent, seed, dict(zip(tasks, row, strict=True)), **options)  # type: ignore[arg-type]


def effects(comparison: Comparison, agent: str = "care") -> dict[str | None, TaskEffect]:
    return {effect.task: effect for effect in (*comparison.effects, *comparison.overall) if effect.agent == agent}


def test_an_agents_line_is_over_its_seeds_and_tasks(tmp_path: Path) -> None:
    curves = {"a": UP, "b": (0.0, 0.0, 0.8, 0.9)}
    for seed in range(3):
        own = curves if seed else {"a": UP, "b": (0.0,) * 4}
        make_run(tmp_path, seed=seed, scores={"a": 1.0, "b": 0.3 * seed}, curves=own, parameters=1500)
    make_run(tmp_path, "mtsac", scores={"a": 1.0, "b": 0.0}, parameters=999)
    care, mtsac = compare(gather([tmp_path])).agents
    assert (care.label, care.seeds, mtsac.seeds) == ("care", (0, 1, 2), (0,))
    # 0, .3, .6, 1, 1, 1: one of six is cut off on either side.
    assert care.iqm.value == pytest.approx((0.3 + 0.6 + 1 + 1) / 4)
    assert care.mean.value == pytest.approx(3.9 / 6)
    assert (care.worst_task, care.worst_score) == ("b", pytest.approx(0.3))
    # b: 0, .4 and .85 over three of four thousand steps; none at all in seed 0.
    assert care.auc is not None
    assert care.auc.value == pytest.approx((3 * 0.5125 + 2 * (0.4 + 0.85) / 4) / 6)
    # Means over tasks: .125 .25 .8 .95, and half of UP in seed 0.
    steps = [(mark.threshold, mark.steps, mark.seeds, mark.of) for mark in care.reached]
    assert steps == [(0.5, 3000, 3, 3), (0.8, 3000, 2, 3), (0.95, 4000, 2, 3)]
    assert [mark.steps for mark in mtsac.reached] == [1000, None, None]
    assert (care.env_steps, care.updates, care.wall_seconds) == (8000, 101, 61)
    assert (care.parameters, care.size_ratio, care.larger) == (1500, pytest.approx(1500 / 999), True)
    assert (mtsac.size_ratio, mtsac.larger) == (1.0, False)


def test_half_more_parameters_are_not_marked(tmp_path: Path) -> None:
    make_run(tmp_path, parameters=1500)
    make_run(tmp_path, "mtsac", parameters=1000)
    comparison = compare(gather([tmp_path]))
    assert [agent.larger for agent in comparison.agents] == [False, False]
    assert not [note for note in comparison.notes if "sizes" in note]


def test_tasks_are_held_against_single_task(tmp_path: Path) -> None:
    """Flat curves at s have the area s - s / 8: a start from 0 costs half of the first quarter."""
    add(tmp_path, "care", [(0.8, 0.4), (0.82, 0.41), (0.81, 0.39)])
    add(tmp_path, "single-task", [(0.4, 0.8), (0.42, 0.81), (0.41, 0.79)])
    comparison = compare(gather([tmp_path]))
    found = effects(comparison)
    assert comparison.baseline == "single-task"
    assert [found[task].verdict for task in ("a", "b", None)] == [HELPED, HURT, SAME]
    a, mean = found["a"], found[None]
    assert a.final.value == pytest.approx(0.4)
    assert a.area is not None
    assert a.transfer is not None
    assert a.area.value == pytest.approx(0.4 * 7 / 8)
    room = 1 - 0.41 * 7 / 8
    assert a.transfer.value == pytest.approx(0.4 * 7 / 8 / room)
    assert a.area.low is not None
    assert a.transfer.low == pytest.approx(a.area.low / room)
    assert (a.score, a.baseline_score, a.judged_by) == (pytest.approx(0.81), pytest.approx(0.41), "area")
    assert mean.final.value == pytest.approx(0.0)


def test_transfer_is_not_defined_where_the_task_alone_leaves_no_room(tmp_path: Path) -> None:
    add(tmp_path, "care", [(0.5,)] * 3, "a")
    for seed in range(3):
        make_run(tmp_path, "single-task", seed, {"a": 1.0}, {"a": (8 / 7,) * 4})
    assert effects(compare(gather([tmp_path])))["a"].transfer is None


def test_runs_that_were_not_evaluated_equally_often_are_compared_on_the_evaluations_of_all(tmp_path: Path) -> None:
    """The same curves, one with a point of four: it was .22 lower in area, and significantly behind."""
    for seed in range(3):
        score = 0.8 + 0.01 * seed
        curves = {"a": [0.6 + 0.01 * seed, 0.7, 0.8, score]}
        make_run(tmp_path, "care", seed, {"a": score}, curves, eval_every=1000)
        metrics = make_run(tmp_path, "mtsac", seed, {"a": score}, curves, eval_every=4000) / "metrics.csv"
        header, *_, last = metrics.read_text().splitlines(keepends=True)
        metrics.write_text(header + last)
    comparison = compare(gather([tmp_path]))
    care, mtsac = comparison.agents
    assert care.auc == mtsac.auc
    assert care.auc is not None
    assert care.auc.value == pytest.approx(0.81 / 2)
    assert care.reached == mtsac.reached
    assert comparison.pairs[0].verdict == SAME
    assert "runs were not evaluated equally often: of their evaluations, only the last count" in comparison.notes
    assert [row.auc for row in comparison.rows if row.agent == "care"] == pytest.approx([0.4, 0.405, 0.41])


@pytest.mark.parametrize(("seeds", "verdict"), [(1, ONE_SEED), (2, FEW_SEEDS), (3, HELPED)])
def test_a_verdict_takes_three_seeds_on_either_side(tmp_path: Path, seeds: int, verdict: str) -> None:
    add(tmp_path, "care", [(0.9, 0.9)] * seeds)
    add(tmp_path, "single-task", [(0.2, 0.2)] * 3)
    comparison = compare(gather([tmp_path]))
    assert {effect.verdict for effect in (*comparison.effects, *comparison.overall)} == {verdict}
    assert {pair.verdict for pair in comparison.pairs} == {AHEAD if verdict == HELPED else verdict}
    assert bool([note for note in comparison.notes if note.startswith("one seed proves nothing: care has")]) == (
        seeds == 1
    )
    assert (comparison.agents[0].iqm.low is None) == (seeds == 1)
    assert (effects(comparison)["a"].final.p is None) == (seeds == 1)


def test_sharing_is_not_blamed_where_it_is_not_what_differs(tmp_path: Path) -> None:
    for agent, score in (("care", 0.9), ("single-task", 0.2), ("sb3", 0.5)):
        add(tmp_path, agent, [(score, score)] * 3)
    gathered = gather([tmp_path])
    found = {(effect.agent, effect.verdict) for effect in compare(gathered).effects}
    assert found == {("care", HELPED), ("sb3", BETTER)}
    found = {(effect.agent, effect.verdict) for effect in compare(gathered, "care").effects}
    assert found == {("single-task", WORSE), ("sb3", WORSE)}


def test_without_a_curve_the_final_score_is_judged(tmp_path: Path) -> None:
    """No episode of an evaluation said whether it was a success."""
    for seed in range(3):
        make_run(tmp_path, "care", seed, {"a": 0.9}, evaluated="eval/return")
        make_run(tmp_path, "single-task", seed, {"a": 0.2})
    comparison = compare(gather([tmp_path]))
    effect = effects(comparison)["a"]
    assert (effect.area, effect.transfer, effect.judged_by, effect.verdict) == (None, None, "final", HELPED)
    assert (comparison.agents[0].auc, comparison.agents[0].reached, comparison.rows[0].auc) == (None, (), None)
    assert {band.agent for band in comparison.bands} == {"single-task"}


def test_a_task_with_a_slash_in_its_name_keeps_its_curve(tmp_path: Path) -> None:
    make_run(tmp_path, scores={"a/b": 0.8})
    (effect,) = compare(gather([tmp_path])).agents
    assert effect.auc is not None
    assert effect.auc.value == pytest.approx(0.7)


def test_pairs_are_all_pairs_once(tmp_path: Path) -> None:
    for agent, score in (("care", 0.9), ("mtsac", 0.5), ("sb3", 0.5)):
        add(tmp_path, agent, [(score, 0.5)] * 2)
    pairs = {(pair.first, pair.second): pair.probability.value for pair in compare(gather([tmp_path])).pairs}
    assert pairs == {("care", "mtsac"): 0.75, ("care", "sb3"): 0.75, ("mtsac", "sb3"): 0.5}


def test_a_pair_is_the_same_seen_from_either_side_and_what_the_overall_verdict_is_made_of(tmp_path: Path) -> None:
    for agent, score in (("care", 0.9), ("mtsac", 0.5), ("single-task", 0.52)):
        add(tmp_path, agent, [(score + 0.01 * seed, 0.5) for seed in range(3)])
    comparison = compare(gather([tmp_path]))
    one, other = comparison.pair("care", "single-task"), comparison.pair("single-task", "care")
    assert (one.verdict, other.verdict, one.judged_by) == (AHEAD, BEHIND, "area")
    assert one.area is not None
    assert other.area is not None
    assert (other.area.value, other.area.low, other.area.high) == (-one.area.value, -one.area.high, -one.area.low)  # type: ignore[operator]
    assert one.area.value == pytest.approx(0.19 * 7 / 8)
    overall = effects(comparison)[None]
    assert (overall.area, overall.final, overall.verdict) == (one.area, one.final, HELPED)
    # Holm over three pairs: the two clear ones take 3 and 2 times their p-value.
    ordered = sorted(pair.area.p for pair in comparison.pairs if pair.area is not None and pair.area.p is not None)
    assert one.area.adjusted == pytest.approx(max(3 * ordered[0], 2 * one.area.p))  # type: ignore[operator]
    assert comparison.pair("mtsac", "single-task").verdict == SAME


def test_tasks_of_all_agents_are_one_family(tmp_path: Path) -> None:
    """By hand, Benjamini and Hochberg: four p-values by 4, 2, 4/3 and 1, the lesser ones not above the next."""
    generator = np.random.default_rng(0)
    for agent, shift in (("care", 0.3), ("mtsac", 0.1), ("single-task", 0.0)):
        add(tmp_path, agent, (0.4 + shift + generator.normal(0, 0.05, (4, 2))).tolist())
    add(tmp_path, "mtmhsac", [(0.1, 0.9)] * 2)
    found = [effect.area for effect in compare(gather([tmp_path])).effects if effect.agent != "mtmhsac"]
    p = np.array([gap.p for gap in found if gap is not None])
    order = np.argsort(p)[::-1]
    expected = np.minimum.accumulate(p[order] * 4 / np.arange(4, 0, -1))
    assert [found[k].adjusted for k in order] == pytest.approx(expected.tolist())  # type: ignore[union-attr]


def test_without_curves_of_all_agents_every_pair_is_judged_by_the_final_score(tmp_path: Path) -> None:
    for seed in range(3):
        make_run(tmp_path, "care", seed, {"a": 0.9})
        make_run(tmp_path, "mtsac", seed, {"a": 0.5})
        make_run(tmp_path, "single-task", seed, {"a": 0.2}, evaluated="eval/return")
    comparison = compare(gather([tmp_path]))
    assert {(pair.judged_by, pair.area, pair.verdict) for pair in comparison.pairs} == {("final", None, AHEAD)}
    assert {(effect.judged_by, effect.verdict) for effect in comparison.overall} == {("final", HELPED)}


def test_another_baseline_can_be_named(tmp_path: Path) -> None:
    for agent in ("care", "single-task", "sb3"):
        add(tmp_path, agent, [(0.5, 0.5)] * 2)
    gathered = gather([tmp_path])
    assert {effect.agent for effect in compare(gathered, "sb3").effects} == {"care", "single-task"}
    with pytest.raises(UsageError, match=r"--baseline is 'sb4'.* Did you mean 'sb3'"):
        compare(gathered, "sb4")


def test_a_baseline_of_several_settings_is_named_by_its_label(tmp_path: Path) -> None:
    for name, batch in (("x", 32), ("y", 16)):
        make_run(tmp_path, "single-task", name=name, batch_per_task=batch)
    make_run(tmp_path)
    gathered = gather([tmp_path])
    with pytest.raises(UsageError, match=r"is ambiguous: 'single-task \(batch_per_task=32\)', 'single-task \(batch"):
        compare(gathered)
    assert compare(gathered, "single-task (batch_per_task=16)").baseline == "single-task (batch_per_task=16)"


def test_bands_are_means_over_seeds_between_their_ends(tmp_path: Path) -> None:
    make_run(tmp_path, seed=0, scores={"a": 1.0, "b": 0.0}, curves={"a": UP, "b": (0.0,) * 4})
    make_run(tmp_path, seed=1, scores={"a": 1.0, "b": 1.0}, curves={"a": UP, "b": (1.0,) * 4})
    bands = {band.task: band for band in compare(gather([tmp_path])).bands}
    assert list(bands) == [None, "a", "b"]
    assert bands["a"].mean == pytest.approx(UP)
    # Seeds that agree are as sure as 50 episodes: Student's t of one degree of freedom, 12.706, of .02 / sqrt(12).
    assert bands["a"].low is not None
    assert np.array(UP) - bands["a"].low == pytest.approx(12.7062 * 0.02 / np.sqrt(24), rel=1e-4)
    assert bands["a"].high == pytest.approx([*(2 * np.array(UP) - bands["a"].low)[:3], 1.0])
    assert bands[None].steps == (1000, 2000, 3000, 4000)
    assert bands[None].mean == pytest.approx([(0.5 + up) / 2 for up in UP])
    assert (bands["b"].low, bands["b"].high) == (pytest.approx([0.0] * 4), pytest.approx([1.0] * 4))


def test_all_of_it_is_plain_json(tmp_path: Path) -> None:
    add(tmp_path, "care", [(0.5, 0.4)] * 3)
    add(tmp_path, "single-task", [(0.5, 0.4)])
    comparison = compare(gather([tmp_path]))
    back = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    assert back["agents"][0]["iqm"]["value"] == comparison.agents[0].iqm.value
    assert back["effects"][0]["verdict"] == ONE_SEED
    assert len(back["rows"]) == 8


def test_twins_of_random_curves_are_called_different_in_few_tables(tmp_path: Path) -> None:
    """The whole way, once: ten tasks, five seeds, no difference but chance."""
    generator = np.random.default_rng(0)
    tasks = [f"task {k}" for k in range(10)]
    for agent in ("care", "single-task"):
        for seed in range(5):
            curves = {task: np.sort(generator.beta(2, 1, 4)) for task in tasks}
            make_run(tmp_path, agent, seed, {task: float(curve[-1]) for task, curve in curves.items()}, curves)  # type: ignore[arg-type]
    assert {effect.verdict for effect in compare(gather([tmp_path])).effects} == {SAME}
