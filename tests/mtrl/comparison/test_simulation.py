"""Intervals and verdicts keep what they promise where the truth is known, runs that move all their tasks among them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mtrl.comparison.compare import compare
from mtrl.comparison.outcomes import SAME
from mtrl.comparison.statistics import LEAST_SEEDS, welch
from mtrl.gathering.gather import gather
from tests.mtrl.comparison.simulation import NOISE, TASKS, by_run, by_task, called_apart, coverage, interval_coverage
from tests.mtrl.made_runs import make_run

EFFECTS = (0.0, 0.05, 0.1)


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize(("seeds", "least"), [(3, 0.92), (5, 0.92), (10, 0.93)])
def test_intervals_hold_the_truth_as_often_as_they_say(seeds: int, least: float, effect: float) -> None:
    """1,000 samples: a coverage of .95 is measured within .02 in 996 cases of 1,000."""
    found = coverage(seeds, effect, 1000)
    assert min(found.values()) >= least, found


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("agents", [2, 4, 6])
def test_of_identical_agents_no_two_are_told_apart_in_95_of_100_reports(agents: int, seeds: int, effect: float) -> None:
    assert called_apart(seeds, effect, agents, 4_000) <= 0.05


def test_percentiles_of_few_runs_are_too_narrow_and_those_of_tasks_drawn_apart_far_too_narrow() -> None:
    """Why neither is what intervals are made of: with 5 seeds and an effect of .05 they hold the truth in .84, .65."""
    assert 0.60 < interval_coverage(by_task, 5, 0.05, 400) < 0.72
    assert 0.78 < interval_coverage(by_run, 5, 0.05, 400) < 0.90


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("seeds", [LEAST_SEEDS, 5, 10])
def test_where_nothing_differs_a_task_is_called_helped_or_hurt_in_few_reports(seeds: int, effect: float) -> None:
    """Benjamini-Hochberg over ten tasks of three agents beside one baseline, tasks moved together by their run.

    1,000 reports: a rate of .05 is measured within .02 in 996 cases of 1,000.
    """
    generator = np.random.default_rng(seeds)

    def side() -> np.ndarray:
        return generator.normal(0, effect, (seeds, 1)) + generator.normal(0, NOISE, (seeds, TASKS))

    called = 0
    for _ in range(1000):
        agents, baseline = np.hstack([side() for _ in range(3)]), np.tile(side(), 3)
        called += (welch(agents, baseline, np.zeros(3 * TASKS)).adjusted < 0.05).any()
    assert called / 1000 <= 0.07


def test_reports_on_twins_of_one_run_effect_are_clean(tmp_path: Path) -> None:
    """The whole way: 20 reports of four agents that do not differ, five seeds, an effect as large as the noise.

    Of reports that are clean in 95 of 100 cases, at most three of 20 are not in 984 of 1,000.
    """
    generator = np.random.default_rng(0)
    apart = 0
    for report in range(20):
        for agent in ("care", "mtsac", "mtmhsac", "single-task"):
            for seed in range(5):
                level = 0.5 + generator.normal(0, 0.1)
                scores = {f"task {k}": float(np.clip(level + generator.normal(0, 0.1), 0, 1)) for k in range(4)}
                make_run(tmp_path / str(report), agent, seed, scores)
        comparison = compare(gather([tmp_path / str(report)]))
        verdicts = {one.verdict for one in (*comparison.pairs, *comparison.overall, *comparison.effects)}
        apart += verdicts != {SAME}
    assert apart <= 3
