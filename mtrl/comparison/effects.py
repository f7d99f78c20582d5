"""What learning a task together with others was worth: difference to the baseline, transfer, and a verdict in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtrl.comparison.measures import RETURN, SUCCESS
from mtrl.comparison.outcomes import BETTER, HELPED, HURT, LEAST_SEEDS, ONE_SEED, SAME, WORSE, Gap, TaskEffect
from mtrl.comparison.scored import Scored
from mtrl.comparison.statistics import LEVEL, Difference, Estimate, welch
from mtrl.tables import ALONE


def task_effects(one: Scored, alone: Scored) -> list[TaskEffect]:
    """Return what learning together was worth on each task; p-values are adjusted over all of them."""
    known = ~np.isnan(one.areas).any(axis=0) & ~np.isnan(alone.areas).any(axis=0)
    final = _gaps(welch(one.scores, alone.scores, np.array([measure.resolution for measure in one.measures])))
    area: list[Gap | None] = [None] * len(known)
    if known.any():
        places = np.flatnonzero(known)
        gaps = _gaps(welch(one.areas[:, known], alone.areas[:, known], _area_resolution(one)[known]))
        for place, gap in zip(places, gaps, strict=True):
            area[place] = gap
    return [_effect(one, [t], measure.task, final[t], area[t], alone) for t, measure in enumerate(one.measures)]


def overall_effect(one: Scored, alone: Scored, counted: Sequence[int]) -> TaskEffect:
    """Return what learning together was worth to the mean over the tasks ``counted``; a seed is one observation."""
    return _effect(
        one, counted, None, _gap_of_means(one.scores, alone.scores, counted), _area_gap(one, alone, counted), alone
    )


def _area_gap(one: Scored, alone: Scored, counted: Sequence[int]) -> Gap | None:
    known = not np.isnan(one.areas[:, counted]).any() and not np.isnan(alone.areas[:, counted]).any()
    return _gap_of_means(one.areas, alone.areas, counted) if known else None


def _gap_of_means(first: np.ndarray, second: np.ndarray, tasks: Sequence[int]) -> Gap:
    mine, theirs = (side[:, tasks].mean(axis=1, keepdims=True) for side in (first, second))
    return _gaps(welch(mine, theirs, np.zeros(1)))[0]


def _effect(
    one: Scored, tasks: Sequence[int], name: str | None, final: Gap, area: Gap | None, alone: Scored
) -> TaskEffect:
    measure = one.measures[tasks[0]]
    moved = None
    if area is not None and measure.kind != RETURN:
        moved = transfer(area, float(alone.areas[:, tasks].mean()))
    seeds = min(len(one.scores), len(alone.scores))
    shared = one.group.agent not in ALONE and alone.group.agent in ALONE
    return TaskEffect(
        agent=one.group.label,
        task=name,
        measure=measure.kind,
        score=float(one.scores[:, tasks].mean()),
        baseline_score=float(alone.scores[:, tasks].mean()),
        final=final,
        area=area,
        transfer=moved,
        judged_by="final" if area is None else "area",
        verdict=verdict(final if area is None else area, seeds, shared),
    )


def verdict(gap: Gap, seeds: int, shared: bool) -> str:
    """Return in words what a difference says, ``seeds`` being those of the side with fewer; ``shared``: by sharing.

    Two seeds never show a difference, since two that agree look certain: where one run in five fails, two agents that
    are the same would differ on some of ten tasks in every third table; with three seeds in one of twelve, with five in
    one of a hundred.
    """
    if gap.adjusted is None:
        return ONE_SEED
    if gap.adjusted >= 1 - LEVEL or seeds < LEAST_SEEDS:
        return SAME
    better, worse = (HELPED, HURT) if shared else (BETTER, WORSE)
    return better if gap.value > 0 else worse


def transfer(area: Gap, alone: float) -> Estimate | None:
    """Return (AUC - AUC_alone) / (1 - AUC_alone), None where the task alone leaves no room (Continual World, eq. 2)."""
    room = 1 - alone
    if room <= 1e-12:
        return None
    low, high = (None if end is None else end / room for end in (area.low, area.high))
    return Estimate(area.value / room, low, high)


def _area_resolution(one: Scored) -> np.ndarray:
    """Return how finely an area is measured: its K evaluations are each rounded to a multiple of 1 / episodes."""
    config = one.group.runs[0].config
    return np.array(
        [
            0.0 if curve is None or measure.kind != SUCCESS else 1 / (config.eval_episodes * np.sqrt(len(curve.steps)))
            for curve, measure in zip(one.curves[0], one.measures, strict=True)
        ]
    )


def _gaps(difference: Difference) -> list[Gap]:
    columns = (difference.low, difference.high, difference.p, difference.adjusted)
    rows = [[None if np.isnan(number) else float(number) for number in row] for row in zip(*columns, strict=True)]
    return [Gap(float(value), *row) for value, row in zip(difference.value, rows, strict=True)]
