"""From gathered runs to a ``Comparison``: ``compare(gather(["runs/tabletop"]))``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtrl.comparison.cost import cpu_seconds_of
from mtrl.comparison.effects import overall_effect, task_effects
from mtrl.comparison.measures import RETURN, SUCCESS, headline, measures_of
from mtrl.comparison.notes import baseline_of, measure_words, notes_on
from mtrl.comparison.outcomes import MAX_RATIO, THRESHOLDS, AgentSummary, Comparison, Reached, pair_of
from mtrl.comparison.scored import Scored, bands, mean_curves, mean_starts, rows
from mtrl.comparison.statistics import Estimate, estimate_iqm, estimate_mean
from mtrl.comparison.verdicts import pairs_of
from mtrl.gathering.curves import steps_to
from mtrl.gathering.gather import Gathered
from mtrl.gathering.grouping import Group


def compare(gathered: Gathered, baseline: str | None = None) -> Comparison:
    """Compare gathered runs, each task with ``baseline``, a label or an agent; by default single-task if among them.

    Raises ``UsageError`` for a baseline that is not among the runs or is ambiguous.
    """
    base = baseline_of(gathered, baseline)
    measures = measures_of(gathered, base)
    kind = headline(measures)
    total, every = gathered.steps_per_task, gathered.common_eval_every
    scored = [Scored(group, measures, total, every) for group in gathered.groups]
    counted = [i for i, measure in enumerate(measures) if measure.kind == kind]
    fewest = min(_parameters(group) for group in gathered.groups)
    sides = [(one, alone) for alone in scored if alone.group is base for one in scored if one is not alone]
    pairs = pairs_of(scored, counted)
    return Comparison(
        suite=gathered.suite,
        tasks=gathered.tasks,
        steps_per_task=gathered.steps_per_task,
        protocol=gathered.protocol,
        measure=kind,
        measure_words=measure_words(kind, measures, base),
        baseline=None if base is None else base.label,
        agents=tuple(summary(one, counted, fewest) for one in scored),
        pairs=pairs,
        effects=tuple(task_effects(sides)),
        overall=tuple(
            overall_effect(one, alone, counted, pair_of(pairs, one.group.label, alone.group.label))
            for one, alone in sides
        ),
        bands=tuple(band for one in scored for band in bands(one, counted)),
        rows=tuple(row for one in scored for row in rows(one)),
        notes=tuple(notes_on(gathered, base, measures)),
        warnings=gathered.warnings,
    )


def summary(one: Scored, counted: Sequence[int], fewest: int) -> AgentSummary:
    """Return a group's results over the tasks ``counted``; ``fewest`` is the smallest agent's number of parameters."""
    scores, areas = one.scores[:, counted], one.areas[:, counted]
    worst = int(scores.mean(axis=0).argmin())
    results = [run.result for run in one.group.runs]
    parameters = _parameters(one.group)

    def possible(estimate: Estimate) -> Estimate:
        return estimate.within(0.0, 1.0) if one.measures[counted[0]].kind == SUCCESS else estimate

    return AgentSummary(
        label=one.group.label,
        agent=one.group.agent,
        settings=one.group.settings,
        seeds=one.group.seeds,
        iqm=possible(estimate_iqm(scores, one.resolution[counted])),
        mean=possible(estimate_mean(scores, one.resolution[counted])),
        worst_task=one.measures[counted[worst]].task,
        worst_score=float(scores.mean(axis=0)[worst]),
        auc=possible(estimate_mean(areas, one.area_resolution[counted])) if one.has_areas(counted) else None,
        reached=reached(one, counted),
        env_steps=float(np.mean([result["env_steps"] for result in results])),
        updates=float(np.mean([result["updates"] for result in results])),
        wall_seconds=float(np.mean([result["wall_seconds"] for result in results])),
        cpu_seconds=cpu_seconds_of(results),
        parameters=parameters,
        size_ratio=parameters / fewest,
        larger=parameters > MAX_RATIO * fewest,
    )


def reached(one: Scored, counted: Sequence[int]) -> tuple[Reached, ...]:
    """Return when the mean over tasks reached each threshold; empty for raw returns and without evaluations."""
    means = mean_curves(one, counted)
    if means is None or one.measures[counted[0]].kind == RETURN:
        return ()
    starts = mean_starts(one, counted)
    found = []
    for threshold in THRESHOLDS:
        steps = [steps_to(curve, threshold, start) for curve, start in zip(means, starts, strict=True)]
        known = [step for step in steps if step is not None]
        median = float(np.median([np.inf if step is None else step for step in steps]))
        found.append(Reached(threshold, int(median) if np.isfinite(median) else None, len(known), len(steps)))
    return tuple(found)


def _parameters(group: Group) -> int:
    return int(group.runs[0].result["parameters"])
