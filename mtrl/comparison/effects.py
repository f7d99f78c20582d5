"""What learning a task together with others was worth: difference to the baseline, transfer, and a verdict in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mtrl.comparison.measures import RETURN, SUCCESS
from mtrl.comparison.outcomes import BETTER, HELPED, HURT, WORSE, Gap, Pair, TaskEffect
from mtrl.comparison.scored import Scored
from mtrl.comparison.statistics import Estimate, welch
from mtrl.comparison.verdicts import gaps, verdict
from mtrl.tables import ALONE


def task_effects(one: Scored, alone: Scored, agents: int = 1) -> list[TaskEffect]:
    """Return what learning together was worth on each task.

    p-values are adjusted over the tasks (Benjamini and Hochberg), and over the ``agents`` that are compared with the
    baseline (Bonferroni), so that a report in which nothing differs stays clean in 95 of 100 cases.
    """
    known = one.has_areas_by_task & alone.has_areas_by_task
    final = _gaps(one, one.scores, alone.scores, one.resolution, agents, range(len(known)))
    area: list[Gap | None] = [None] * len(known)
    if known.any():
        places = np.flatnonzero(known).tolist()
        resolution = np.maximum(one.area_resolution, alone.area_resolution)
        for place, gap in zip(places, _gaps(one, one.areas, alone.areas, resolution, agents, places), strict=True):
            area[place] = gap
    return [_effect(one, [t], measure.task, final[t], area[t], alone) for t, measure in enumerate(one.measures)]


def _gaps(
    one: Scored, mine: np.ndarray, theirs: np.ndarray, resolution: np.ndarray, agents: int, tasks: Sequence[int]
) -> list[Gap]:
    found = gaps(welch(mine[:, tasks], theirs[:, tasks], resolution[tasks]))
    over_agents = [
        dataclasses.replace(gap, adjusted=None if gap.adjusted is None else min(1.0, agents * gap.adjusted))
        for gap in found
    ]
    return [gap.within(one.measures[t].kind == SUCCESS) for t, gap in zip(tasks, over_agents, strict=True)]


def overall_effect(one: Scored, alone: Scored, counted: Sequence[int], pair: Pair) -> TaskEffect:
    """Return what learning together was worth to the mean over the tasks ``counted``, by the ``pair`` of the two."""
    return _effect(one, counted, None, pair.final, pair.area, alone)


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
        verdict=verdict(area or final, seeds, *((HELPED, HURT) if shared else (BETTER, WORSE))),
    )


def transfer(area: Gap, alone: float) -> Estimate | None:
    """Return (AUC - AUC_alone) / (1 - AUC_alone), None where the task alone leaves no room (Continual World, eq. 2)."""
    room = 1 - alone
    if room <= 1e-12:
        return None
    low, high = (None if end is None else end / room for end in (area.low, area.high))
    return Estimate(area.value / room, low, high)
