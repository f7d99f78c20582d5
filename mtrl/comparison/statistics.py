"""Statistics of a few runs: interquartile mean, stratified bootstrap, probability of improvement, Welch's test.

Scores are ``(seeds, tasks)`` everywhere. The first three are those of Agarwal et al. 2021 (NeurIPS, "Deep Reinforcement
Learning at the Edge of the Statistical Precipice"), as its library rliable computes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RESAMPLES = 5_000
LEVEL = 0.95
SEED = 20_210_813  # the intervals of the same runs are the same numbers each time

Resampler = Callable[[np.ndarray], np.ndarray]  # (B, seeds, tasks) -> (B,)


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval; ``low`` and ``high`` are None where there is one seed."""

    value: float
    low: float | None = None
    high: float | None = None


def iqm(scores: np.ndarray) -> float:
    """Return the interquartile mean over all seeds and tasks: the mean without the lowest and the highest quarter.

    Of n scores, n // 4 are cut off on either side (``scipy.stats.trim_mean``, as in rliable).
    """
    return float(_iqms(scores[None])[0])


def _iqms(samples: np.ndarray) -> np.ndarray:
    from scipy.stats import trim_mean

    return np.asarray(trim_mean(samples.reshape(len(samples), -1), 0.25, axis=1))


def estimate_iqm(scores: np.ndarray) -> Estimate:
    """Return the interquartile mean with its stratified bootstrap interval."""
    return stratified_bootstrap(scores, _iqms)


def estimate_mean(scores: np.ndarray) -> Estimate:
    """Return the mean over seeds and tasks with its stratified bootstrap interval."""
    return stratified_bootstrap(scores, lambda samples: samples.mean(axis=(1, 2)))


def stratified_bootstrap(scores: np.ndarray, statistic: Resampler) -> Estimate:
    """Return ``statistic`` of ``scores`` (S, T) with its 95 % percentile interval.

    Tasks are the strata: in each resample every task draws its S seeds anew, independently of the other tasks (Agarwal
    et al. 2021, section 4.1). ``statistic`` maps (B, S, T) to (B,). One seed has no interval.
    """
    value = float(statistic(scores[None])[0])
    if len(scores) < 2:
        return Estimate(value)
    drawn = np.take_along_axis(scores[None], _draws(np.random.default_rng(SEED), *scores.shape), axis=1)
    return _percentiles(value, statistic(drawn))


def _draws(generator: np.random.Generator, seeds: int, tasks: int) -> np.ndarray:
    return generator.integers(seeds, size=(RESAMPLES, seeds, tasks))


def _percentiles(value: float, resampled: np.ndarray) -> Estimate:
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))


def probability_of_improvement(first: np.ndarray, second: np.ndarray) -> Estimate:
    """Return how probable it is that a run of ``first`` (S, T) scores more than one of ``second`` (R, T) on a task.

    Per task it is the Mann-Whitney statistic over the S x R pairs, ties counted half; the mean over tasks is returned
    (Agarwal et al. 2021, section 4.3). The interval resamples the seeds of each task and side; one seed has none.
    """
    # (S, R, T): 1 where the first is better, .5 where they are equal.
    wins = (np.sign(first[:, None] - second[None]) + 1) / 2
    value = float(wins.mean())
    if min(len(first), len(second)) < 2:
        return Estimate(value)
    generator = np.random.default_rng(SEED)
    # How often each seed is drawn says as much as which, and makes the resampled statistic a product.
    mine, theirs = (generator.multinomial(n, [1 / n] * n, size=(RESAMPLES, wins.shape[2])) for n in wins.shape[:2])
    return _percentiles(value, np.einsum("bts,srt,btr->b", mine, wins, theirs, optimize=True) / wins.size)


@dataclass(frozen=True)
class Difference:
    """Means of two samples compared, task by task, each field (T,): ``value`` is first minus second.

    ``low`` and ``high`` are the 95 % interval of each task on its own; ``p`` the two-sided p-value; ``adjusted`` that
    after all T are taken together. All but ``value`` are NaN where a side has one seed.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    adjusted: np.ndarray


def welch(first: np.ndarray, second: np.ndarray, resolution: np.ndarray) -> Difference:
    """Compare ``first`` (S, T) and ``second`` (R, T) on each task by Welch's t-test, Benjamini-Hochberg over tasks.

    Why these: the percentile bootstrap is too narrow for few seeds (of normal samples that do not differ it calls 19 %
    different with 3 seeds and 8 % with 10), and a permutation test of 3 against 3 seeds cannot go below p = .1,
    whatever the runs show. Welch's test allows for unequal spread and keeps its level. With T tasks one in twenty would
    be called by chance, so the p-values are adjusted to keep the expected share of false calls below 5 % (Benjamini and
    Hochberg 1995, ``scipy.stats.false_discovery_control``; where no task differs that is the probability of any call).

    ``resolution`` (T,) is the smallest step of a score, 1 / episodes for a success, 0 for a return. Seeds that happen
    to agree do not make a score certain: the spread of a side is taken to be at least that of rounding to the
    resolution, resolution / sqrt(12). Where there is no spread at all, p is 1.
    """
    value = first.mean(axis=0) - second.mean(axis=0)
    n, m = len(first), len(second)
    unknown = np.full_like(value, np.nan)
    if min(n, m) < 2:
        return Difference(value, unknown, unknown, unknown, unknown)
    from scipy.stats import false_discovery_control, t

    least = resolution**2 / 12
    own, other = (np.maximum(side.var(axis=0, ddof=1), least) / len(side) for side in (first, second))
    spread = np.sqrt(own + other)
    flat = spread < 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(flat, 1.0, (own + other) ** 2 / (own**2 / (n - 1) + other**2 / (m - 1)))
        p = np.where(flat, 1.0, 2 * t.sf(np.abs(value) / np.where(flat, 1.0, spread), freedom))
    reach = t.ppf((1 + LEVEL) / 2, freedom) * spread
    return Difference(value, value - reach, value + reach, p, np.asarray(false_discovery_control(p)))


def bootstrap_band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the 95 % interval, (E,) and (E,), of the mean over seeds and tasks of curves (S, T, E); one seed has none.

    Seeds are drawn as whole curves, per task as in ``stratified_bootstrap``.
    """
    seeds, tasks, _ = values.shape
    if seeds < 2:
        return None
    counts = np.random.default_rng(SEED).multinomial(seeds, [1 / seeds] * seeds, size=(RESAMPLES, tasks))
    means = np.einsum("bts,ste->be", counts, values, optimize=True) / (seeds * tasks)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high
