"""Simulated reports in which the truth is known, and the table of docs/decisions/0006-verdicts.md.

``python -m tests.mtrl.comparison.simulation`` prints the table (ten minutes on one core); the tests draw from here too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import combinations

import numpy as np

from mtrl.comparison.statistics import Estimate, estimate_iqm, estimate_mean, iqm, pairwise, probability_of_improvement

TASKS, NOISE = 10, 0.1
LEVELS = np.linspace(0.3, 0.9, TASKS)  # tasks are of different difficulty
RESAMPLES = 1_000

Interval = Callable[[np.ndarray, np.random.Generator], tuple[float, float]]


def draw(generator: np.random.Generator, seeds: int, effect: float, noise: float = NOISE) -> np.ndarray:
    """Return scores (S, T) of an agent: a task's level, what a run does to all tasks (``effect``), and noise."""
    return LEVELS + generator.normal(0, effect, (seeds, 1)) + generator.normal(0, noise, (seeds, TASKS))


def true_iqm(effect: float) -> float:
    """Return the interquartile mean of very many runs."""
    return iqm(draw(np.random.default_rng(0), 20_000, effect))


def covers(estimate: Estimate, truth: float) -> bool:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low <= truth <= estimate.high


def coverage(seeds: int, effect: float, repetitions: int) -> dict[str, float]:
    """Return how often the intervals of the mean, of the IQM and of the improvement on a twin hold the truth."""
    generator, middle = np.random.default_rng(seeds), true_iqm(effect)
    found = np.array(
        [
            (
                covers(estimate_mean(scores), float(LEVELS.mean())),
                covers(estimate_iqm(scores), middle),
                covers(probability_of_improvement(scores, draw(generator, seeds, effect)), 0.5),
            )
            for scores in (draw(generator, seeds, effect) for _ in range(repetitions))
        ]
    )
    return dict(zip(("mean", "IQM", "improvement"), found.mean(axis=0).tolist(), strict=True))


def called_apart(seeds: int, effect: float, agents: int, reports: int) -> float:
    """Return the share of reports on ``agents`` that do not differ in which any two are told apart."""
    generator = np.random.default_rng(seeds)
    noise = NOISE / np.sqrt(TASKS)
    sides = [
        generator.normal(0, effect, (seeds, reports)) + generator.normal(0, noise, (seeds, reports))
        for _ in range(agents)
    ]
    return float((pairwise(sides, np.zeros(reports)).adjusted < 0.05).any(axis=0).mean())


def by_task(scores: np.ndarray, generator: np.random.Generator) -> tuple[float, float]:
    """Return the percentile interval of the mean, seeds drawn anew for each task (Agarwal et al. 2021)."""
    seeds, tasks = scores.shape
    counts = generator.multinomial(seeds, [1 / seeds] * seeds, size=(RESAMPLES, tasks))
    return _percentiles(np.einsum("bts,st->b", counts, scores, optimize=True) / scores.size)


def by_run(scores: np.ndarray, generator: np.random.Generator) -> tuple[float, float]:
    """Return the percentile interval of the mean, whole runs drawn anew."""
    seeds = len(scores)
    return _percentiles(generator.multinomial(seeds, [1 / seeds] * seeds, size=RESAMPLES) @ scores.mean(axis=1) / seeds)


def student(scores: np.ndarray, generator: np.random.Generator) -> tuple[float, float]:
    """Return what ``estimate_mean`` does."""
    estimate = estimate_mean(scores)
    return float(estimate.low or 0.0), float(estimate.high or 0.0)


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def interval_coverage(method: Interval, seeds: int, effect: float, repetitions: int) -> float:
    """Return how often a method's interval of the mean holds the truth."""
    generator, truth = np.random.default_rng(seeds), float(LEVELS.mean())
    ends = np.array([method(draw(generator, seeds, effect), generator) for _ in range(repetitions)])
    return float(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean())


def wins_apart(whole_runs: bool, seeds: int, effect: float, agents: int, reports: int) -> tuple[float, float]:
    """Return the share of pairs, and of reports, told apart where the bootstrap of the improvement leaves out .5."""
    generator = np.random.default_rng(seeds)
    called = []
    for _ in range(reports):
        sides = [draw(generator, seeds, effect) for _ in range(agents)]
        called.append([_wins_apart(one, other, whole_runs, generator) for one, other in combinations(sides, 2)])
    return float(np.mean(called)), float(np.any(called, axis=1).mean())


def _wins_apart(one: np.ndarray, other: np.ndarray, whole_runs: bool, generator: np.random.Generator) -> bool:
    wins = (np.sign(one[:, None] - other[None]) + 1) / 2
    strata = 1 if whole_runs else TASKS
    mine, theirs = (generator.multinomial(n, [1 / n] * n, size=(RESAMPLES, strata)) for n in wins.shape[:2])
    if whole_runs:
        wins = wins.mean(axis=2, keepdims=True)
    low, high = _percentiles(np.einsum("bts,srt,btr->b", mine, wins, theirs, optimize=True) / wins.size)
    return low > 0.5 or high < 0.5


def main(repetitions: int = 2_000, reports: int = 300) -> None:
    """Print the table, in Markdown."""
    out = sys.stdout
    methods: tuple[tuple[str, Interval], ...] = (("by task", by_task), ("whole runs", by_run), ("t", student))
    for seeds in (3, 5, 10):
        for effect in (0.0, 0.05, 0.1):
            cells = [f"{interval_coverage(method, seeds, effect, repetitions):.3f}" for _, method in methods]
            ours = coverage(seeds, effect, repetitions)
            cells += [f"{ours['IQM']:.3f}", f"{ours['improvement']:.3f}"]
            for whole_runs in (False, True):
                cells += ["{:.2f} / {:.2f}".format(*wins_apart(whole_runs, seeds, effect, 5, reports))]
            cells += [f"{called_apart(seeds, effect, agents, 20_000):.3f}" for agents in (2, 5)]
            out.write(f"| {seeds} | {effect:g} | {' | '.join(cells)} |\n")
            out.flush()


if __name__ == "__main__":
    main()
