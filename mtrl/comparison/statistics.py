"""Statistics of a few runs: interquartile mean, probability of improvement, Student's t over runs, Welch's test.

Scores are ``(seeds, tasks)`` everywhere. A run is one observation, however many tasks it has: a seed may affect all
tasks of a run alike, so the spread of every statistic is taken over whole runs and never over tasks.
The statistics are those of Agarwal et al. 2021 (NeurIPS, "Deep Reinforcement Learning at the Edge of the Statistical
Precipice"), as its library rliable computes them; the intervals are not, see docs/decisions/0006-verdicts.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

LEVEL = 0.95
LEAST_SEEDS = 3  # per side; with fewer, nothing is called a difference
ROUNDING = 1 / 12  # variance of rounding to multiples of 1


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval; ``low`` and ``high`` are None for one seed."""

    value: float
    low: float | None = None
    high: float | None = None

    def within(self, least: float, most: float) -> Estimate:
        """Return the estimate with its interval clipped to possible values."""
        if self.low is None or self.high is None:
            return self
        return Estimate(self.value, max(self.low, least), min(self.high, most))


def iqm(scores: np.ndarray) -> float:
    """Return the interquartile mean over all seeds and tasks: the mean without the lowest and the highest quarter.

    Of n scores, n // 4 are cut off on either side (``scipy.stats.trim_mean``, as in rliable).
    """
    return float(_iqms(scores[None])[0])


def _iqms(samples: np.ndarray) -> np.ndarray:
    """Return the interquartile mean of each of (B, S, T) -> (B,)."""
    flat = samples.reshape(len(samples), -1)
    cut, size = flat.shape[1] // 4, flat.shape[1]
    return np.asarray(np.partition(flat, (cut, size - cut - 1), axis=1)[:, cut : size - cut].mean(axis=1))


def estimate_iqm(scores: np.ndarray, resolution: np.ndarray | float = 0.0) -> Estimate:
    """Return the interquartile mean of (S, T) with its jackknife interval over whole runs.

    The pseudo-value of a run is S * iqm - (S - 1) * iqm without that run; Student's t interval of the S pseudo-values
    is put around the interquartile mean (Tukey 1958; Miller 1974, Biometrika 61, "The jackknife: a review").
    """
    runs, value = len(scores), iqm(scores)
    if runs < 2:
        return Estimate(value)
    others = (np.arange(runs)[:, None] + np.arange(1, runs)) % runs  # (S, S - 1): all runs but one
    without = _iqms(scores[others])
    return _estimate(value, runs * value - (runs - 1) * without, mean_resolution(resolution, scores.shape[1]))


def estimate_mean(scores: np.ndarray, resolution: np.ndarray | float = 0.0) -> Estimate:
    """Return the mean of (S, T) with Student's t interval over the runs' means."""
    means = scores.mean(axis=1)
    return _estimate(float(means.mean()), means, mean_resolution(resolution, scores.shape[1]))


def estimate_band(curves: np.ndarray, resolution: np.ndarray | float = 0.0) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the 95 % interval, (E,) and (E,), of the mean over seeds and tasks of curves (S, T, E); one seed has none.

    At each step it is Student's t interval over the runs' means, as in ``estimate_mean``.
    """
    if len(curves) < 2:
        return None
    means = curves.mean(axis=1)
    reach = _reach(means, mean_resolution(resolution, curves.shape[1]))
    return means.mean(axis=0) - reach, means.mean(axis=0) + reach


def mean_resolution(resolution: np.ndarray | float, tasks: int) -> float:
    """Return the resolution of the mean over tasks whose scores are each rounded to ``resolution``, (T,) or one value.

    It is the step with the rounding variance of the mean, as rounding is independent between tasks.
    """
    return float(np.sqrt(np.square(np.broadcast_to(resolution, tasks)).sum()) / tasks)


def _estimate(value: float, values: np.ndarray, resolution: float) -> Estimate:
    if len(values) < 2:
        return Estimate(value)
    reach = float(_reach(values, resolution))
    return Estimate(value, value - reach, value + reach)


def _reach(values: np.ndarray, resolution: float) -> np.ndarray:
    """Return half the width of Student's t interval over axis 0, its spread at least that of the rounding."""
    runs = len(values)
    variance = np.maximum(values.var(axis=0, ddof=1), resolution**2 * ROUNDING)
    return _quantile(runs - 1) * np.sqrt(variance / runs)


def _quantile(freedom: np.ndarray | float) -> np.ndarray:
    from scipy.special import stdtrit

    return np.asarray(stdtrit(freedom, (1 + LEVEL) / 2))


def probability_of_improvement(first: np.ndarray, second: np.ndarray) -> Estimate:
    """Return how probable it is that a run of ``first`` (S, T) scores more than one of ``second`` (R, T) on a task.

    Per task it is the Mann-Whitney statistic over the S x R pairs, ties counted half; the mean over tasks is returned
    (Agarwal et al. 2021, section 4.3). Its jackknife pseudo-values over whole runs are each run's share of wins, so its
    standard error is that of DeLong et al. 1988 (Biometrics 44), with the degrees of freedom of Welch and Satterthwaite
    as in the test of Brunner and Munzel 2000. The interval is Wilson's (1927, J. Am. Stat. Assoc. 22), Student's t in
    the place of z and p (1 - p) / error**2 in that of the sample size: near 0 and 1 a plain one is too short. One seed
    has none.

    If runs agree in all their wins, the error would be 0. It is taken to be at least that of T tasks with independent
    runs, p (1 - p) / 3 on each (1/12 at p = .5, the variance of a uniform rank), after adding half a win on either
    side.
    """
    # (S, R, T): 1 where the first is better, .5 where they are equal.
    wins = (np.sign(first[:, None] - second[None]) + 1) / 2
    (n, m, tasks), value = wins.shape, float(wins.mean())
    if min(n, m) < 2:
        return Estimate(value)
    own, other = (
        max(float(wins.mean(axis=(1 - side, 2)).var(ddof=1)), _room(wins.mean(axis=(0, 1)), runs) / (3 * tasks)) / runs
        for side, runs in enumerate((n, m))
    )
    # Wilson's interval contains every p that is at most t times its own error away from the value.
    k = float(_quantile(_freedom(own, other, n, m))) ** 2 * (own + other) / _room(np.array(value), n * m)
    middle, reach = (value + k / 2) / (1 + k), np.sqrt(k * value * (1 - value) + k**2 / 4) / (1 + k)
    return Estimate(value, float(middle - reach), float(middle + reach)).within(0.0, 1.0)


def _room(shares: np.ndarray, count: int) -> float:
    """Return the mean of p (1 - p) over shares of ``count`` wins, after adding half a win on either side."""
    p = (count * shares + 0.5) / (count + 1)
    return float((p * (1 - p)).mean())


def _freedom(own: Any, other: Any, n: int, m: int) -> Any:
    """Return the degrees of freedom of Welch and Satterthwaite, for squared standard errors of n and m runs."""
    return (own + other) ** 2 / (own**2 / (n - 1) + other**2 / (m - 1))


@dataclass(frozen=True)
class Difference:
    """Differences of the means of two samples, all fields of the same shape: ``value`` is first minus second.

    ``low`` and ``high`` are the 95 % interval of each comparison by itself; ``p`` is the two-sided p-value, and
    ``adjusted`` the same adjusted for multiple tests. All but ``value`` are NaN if a side has one seed.
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
    whatever the runs show. Welch's test allows for unequal spread and keeps its level. With T tasks, one in twenty
    would be called different by chance, so the p-values are adjusted to keep the expected share of false calls below
    5 % (Benjamini and Hochberg 1995, ``scipy.stats.false_discovery_control``; if no task differs, that is the
    probability of any call; it also holds for tasks that are positively correlated within runs, Benjamini and Yekutieli
    2001, theorem 1.2).

    ``resolution`` (T,) is the smallest step of a score, 1 / episodes for success, 0 for a return. Seeds that happen to
    agree do not make a score certain: the spread of a side is taken to be at least that of rounding to the resolution,
    resolution / sqrt(12). If there is no spread at all, p is 1.
    """
    from scipy.stats import false_discovery_control

    plain = _welch(first, second, resolution)
    if np.isnan(plain.p).any():
        return plain
    return Difference(plain.value, plain.low, plain.high, plain.p, np.asarray(false_discovery_control(plain.p)))


def _welch(first: np.ndarray, second: np.ndarray, resolution: np.ndarray) -> Difference:
    """Return Welch's test of (S, K) and (R, K) for each column; ``adjusted`` is ``p``."""
    value = first.mean(axis=0) - second.mean(axis=0)
    n, m = len(first), len(second)
    if min(n, m) < 2:
        unknown = np.full_like(value, np.nan)
        return Difference(value, unknown, unknown, unknown, unknown)
    from scipy.special import stdtr

    least = resolution**2 * ROUNDING
    own, other = (np.maximum(side.var(axis=0, ddof=1), least) / len(side) for side in (first, second))
    spread = np.sqrt(own + other)
    flat = spread < 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(flat, 1.0, _freedom(own, other, n, m))
        p = np.where(flat, 1.0, 2 * stdtr(freedom, -np.abs(value) / np.where(flat, 1.0, spread)))
    reach = _quantile(freedom) * spread
    return Difference(value, value - reach, value + reach, p, p)


def pairwise(sides: Sequence[np.ndarray], resolution: np.ndarray) -> Difference:
    """Compare each two of ``sides``, (S, K) with different S, by Welch's test with Holm's correction; return (P, K).

    Pairs are in the order of ``itertools.combinations``. K are quantities of a run, such as its mean score: each is a
    separate family of P tests, in which the probability of any false call stays below 5 %. A pair with fewer than
    ``LEAST_SEEDS`` seeds on a side is not tested: its ``adjusted`` is NaN, and it does not count in the family.
    """
    found = [_welch(first, second, resolution) for first, second in combinations(sides, 2)]
    value, low, high, p = (np.array([getattr(one, name) for one in found]) for name in ("value", "low", "high", "p"))
    enough = np.array([min(len(first), len(second)) >= LEAST_SEEDS for first, second in combinations(sides, 2)])
    return Difference(value, low, high, p, holm(np.where(enough[:, None], p, np.nan)))


def holm(p: np.ndarray) -> np.ndarray:
    """Return p-values (P, K) adjusted over each column (Holm 1979); NaN stays NaN and does not count."""
    order = np.argsort(p, axis=0)  # NaN comes last
    left = (~np.isnan(p)).sum(axis=0) - np.arange(len(p))[:, None]
    stepped = np.maximum.accumulate(np.minimum(1.0, np.take_along_axis(p, order, axis=0) * left), axis=0)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, stepped, axis=0)
    return adjusted
