"""The rule that decides whether two agents differ significantly, used throughout a comparison.

A run is one observation: the mean over tasks of the area under its learning curves, or of its final scores if a run of
the comparison has no curve. Two agents differ significantly if each has at least ``LEAST_SEEDS`` runs and the p-value
of Welch's test is below .05 after Holm's correction over all pairs. docs/decisions/0006-verdicts.md has the reasons and
the rates of false calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from mtrl.comparison.measures import SUCCESS
from mtrl.comparison.outcomes import AHEAD, BEHIND, FEW_SEEDS, ONE_SEED, SAME, Gap, Pair
from mtrl.comparison.scored import Scored
from mtrl.comparison.statistics import LEAST_SEEDS, LEVEL, Difference, mean_resolution, pairwise
from mtrl.comparison.statistics import probability_of_improvement as probability


def verdict(gap: Gap, seeds: int, better: str, worse: str) -> str:
    """Return ``better`` or ``worse`` for a significant difference, else why it is neither.

    ``seeds`` is the smaller number of seeds of the two sides. Two seeds never show a difference, since two that agree
    look certain: if one run in five fails, two equal agents would differ on some of ten tasks in every third table;
    with three seeds in one of twelve, with five in one of a hundred.
    """
    if seeds < LEAST_SEEDS:
        return ONE_SEED if seeds == 1 else FEW_SEEDS
    if gap.adjusted is None or gap.adjusted >= 1 - LEVEL:
        return SAME
    return better if gap.value > 0 else worse


def pairs_of(scored: Sequence[Scored], counted: Sequence[int]) -> tuple[Pair, ...]:
    """Return each pair of groups once, with the verdict on it, over the tasks ``counted``."""
    if len(scored) < 2:
        return ()
    by_area = all(one.has_areas(counted) for one in scored)
    finals = _gaps_of_means([one.scores[:, counted] for one in scored], [one.resolution for one in scored], counted)
    areas: Sequence[Gap | None] = [None] * len(finals)
    if by_area:
        areas = _gaps_of_means(
            [one.areas[:, counted] for one in scored], [one.area_resolution for one in scored], counted
        )
    share = scored[0].measures[counted[0]].kind == SUCCESS
    return tuple(
        _pair(a, b, counted, final.within(share), None if area is None else area.within(share))
        for (a, b), final, area in zip(combinations(scored, 2), finals, areas, strict=True)
    )


def _pair(one: Scored, other: Scored, counted: Sequence[int], final: Gap, area: Gap | None) -> Pair:
    return Pair(
        first=one.group.label,
        second=other.group.label,
        probability=probability(one.scores[:, counted], other.scores[:, counted]),
        final=final,
        area=area,
        judged_by="final" if area is None else "area",
        verdict=verdict(area or final, min(len(one.scores), len(other.scores)), AHEAD, BEHIND),
    )


def _gaps_of_means(sides: Sequence[np.ndarray], resolutions: Sequence[np.ndarray], counted: Sequence[int]) -> list[Gap]:
    """Compare the means over tasks of each two of ``sides`` (S, T)."""
    coarsest = max(mean_resolution(resolution[counted], len(counted)) for resolution in resolutions)
    return gaps(pairwise([side.mean(axis=1, keepdims=True) for side in sides], np.array([coarsest])))


def gaps(difference: Difference) -> list[Gap]:
    """Return differences as plain values; NaN becomes None."""
    fields = (difference.value, difference.low, difference.high, difference.p, difference.adjusted)
    rows = zip(*(field.ravel().tolist() for field in fields), strict=True)
    return [Gap(value, *(None if np.isnan(number) else number for number in row)) for value, *row in rows]
