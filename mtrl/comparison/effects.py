"""The effect of learning tasks together: difference to the baseline, transfer, and a verdict in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from agents.registry.lookup import learned_alone
from mtrl.comparison.measures import RETURN, SUCCESS
from mtrl.comparison.outcomes import BETTER, HELPED, HURT, WORSE, Gap, Pair, TaskEffect
from mtrl.comparison.scored import Scored
from mtrl.comparison.statistics import LEAST_SEEDS, Estimate, welch
from mtrl.comparison.verdicts import gaps, verdict


def task_effects(sides: Sequence[tuple[Scored, Scored]]) -> list[TaskEffect]:
    """Return the effect of learning together for each pair of an agent and its baseline, on each task.

    p-values are adjusted over all tasks of all agents (Benjamini and Hochberg 1995), so a report without any real
    difference shows none in 95 of 100 cases. Sides with fewer than ``LEAST_SEEDS`` are neither tested nor counted.
    """
    finals = _adjusted([_gaps(one, one.scores, alone.scores, one.resolution) for one, alone in sides], sides)
    areas = _adjusted([_area_gaps(one, alone) for one, alone in sides], sides)
    return [
        _effect(one, [t], measure.task, final[t], area.get(t), alone)
        for (one, alone), final, area in zip(sides, finals, areas, strict=True)
        for t, measure in enumerate(one.measures)
    ]


def _area_gaps(one: Scored, alone: Scored) -> dict[int, Gap]:
    """Compare the areas on the tasks for which both sides have curves."""
    known = np.flatnonzero(one.has_areas_by_task & alone.has_areas_by_task)
    resolution = np.maximum(one.area_resolution, alone.area_resolution)
    return {t: gap for t, gap in _gaps(one, one.areas, alone.areas, resolution).items() if t in known}


def _gaps(one: Scored, mine: np.ndarray, theirs: np.ndarray, resolution: np.ndarray) -> dict[int, Gap]:
    """Compare ``mine`` (S, T) and ``theirs`` (R, T) on each task, in the measures of ``one``."""
    found = gaps(welch(mine, theirs, resolution))
    return {
        t: gap.within(measure.kind == SUCCESS) for t, (gap, measure) in enumerate(zip(found, one.measures, strict=True))
    }


def _adjusted(found: Sequence[dict[int, Gap]], sides: Sequence[tuple[Scored, Scored]]) -> list[dict[int, Gap]]:
    """Adjust the p-values of all gaps, by pair and task, over all of them."""
    from scipy.stats import false_discovery_control

    enough = [min(len(one.scores), len(alone.scores)) >= LEAST_SEEDS for one, alone in sides]
    tested = [(k, t) for k, own in enumerate(found) if enough[k] for t in own]
    p = np.array([found[k][t].p for k, t in tested], dtype=np.float64)
    adjusted = dict(zip(tested, false_discovery_control(p).tolist() if tested else [], strict=True))
    return [
        {t: dataclasses.replace(gap, adjusted=adjusted.get((k, t))) for t, gap in own.items()}
        for k, own in enumerate(found)
    ]


def overall_effect(one: Scored, alone: Scored, counted: Sequence[int], pair: Pair) -> TaskEffect:
    """Return the effect of learning together on the mean over the tasks ``counted``, from the agents' ``pair``."""
    return _effect(one, counted, None, pair.final, pair.area, alone)


def _effect(
    one: Scored, tasks: Sequence[int], name: str | None, final: Gap, area: Gap | None, alone: Scored
) -> TaskEffect:
    measure = one.measures[tasks[0]]
    moved = None
    if area is not None and measure.kind != RETURN:
        moved = transfer(area, float(alone.areas[:, tasks].mean()))
    seeds = min(len(one.scores), len(alone.scores))
    shared = learned_alone(alone.group.agent) and not learned_alone(one.group.agent)
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
    """Return (AUC - AUC_alone) / (1 - AUC_alone), or None if AUC_alone is 1 (Continual World, eq. 2)."""
    room = 1 - alone
    if room <= 1e-12:
        return None
    low, high = (None if end is None else end / room for end in (area.low, area.high))
    return Estimate(area.value / room, low, high)
