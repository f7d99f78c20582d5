"""From gathered runs to a ``Comparison``: ``compare(gather(["runs/tabletop"]))``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from mtrl.comparison.curves import steps_to
from mtrl.comparison.effects import overall_effect, task_effects
from mtrl.comparison.gather import Gathered
from mtrl.comparison.grouping import Group
from mtrl.comparison.measures import RETURN, headline, measures_of
from mtrl.comparison.notes import baseline_of, measure_words, notes_on
from mtrl.comparison.outcomes import MOST_RATIO, THRESHOLDS, AgentSummary, Comparison, Pair, Reached
from mtrl.comparison.scored import Scored, bands, mean_curves, rows
from mtrl.comparison.statistics import estimate_iqm, estimate_mean, probability_of_improvement


def compare(gathered: Gathered, baseline: str | None = None) -> Comparison:
    """Compare gathered runs, each task with ``baseline``: a label or an agent; None takes single-task, if it is there.

    Raises ``UsageError`` for a baseline that is not among the runs, or is several.
    """
    base = baseline_of(gathered, baseline)
    measures = measures_of(gathered, base)
    kind = headline(measures)
    scored = [Scored(group, measures, gathered.steps_per_task) for group in gathered.groups]
    counted = [i for i, measure in enumerate(measures) if measure.kind == kind]
    fewest = min(_parameters(group) for group in gathered.groups)
    sides = [(one, alone) for alone in scored if alone.group is base for one in scored if one is not alone]
    return Comparison(
        suite=gathered.suite,
        tasks=gathered.tasks,
        steps_per_task=gathered.steps_per_task,
        protocol=gathered.protocol,
        measure=kind,
        measure_words=measure_words(kind, measures, base),
        baseline=None if base is None else base.label,
        agents=tuple(summary(one, counted, fewest) for one in scored),
        pairs=tuple(
            Pair(a.group.label, b.group.label, probability_of_improvement(a.scores[:, counted], b.scores[:, counted]))
            for a, b in combinations(scored, 2)
        ),
        effects=tuple(effect for one, alone in sides for effect in task_effects(one, alone)),
        overall=tuple(overall_effect(one, alone, counted) for one, alone in sides),
        bands=tuple(band for one in scored for band in bands(one, counted)),
        rows=tuple(row for one in scored for row in rows(one)),
        notes=tuple(notes_on(gathered, base)),
        warnings=gathered.warnings,
    )


def summary(one: Scored, counted: Sequence[int], fewest: int) -> AgentSummary:
    """Return what a group came to over the tasks ``counted``, beside a table whose smallest agent is ``fewest``."""
    scores, areas = one.scores[:, counted], one.areas[:, counted]
    worst = int(scores.mean(axis=0).argmin())
    results = [run.result for run in one.group.runs]
    parameters = _parameters(one.group)
    return AgentSummary(
        label=one.group.label,
        agent=one.group.agent,
        settings=one.group.settings,
        seeds=one.group.seeds,
        iqm=estimate_iqm(scores),
        mean=estimate_mean(scores),
        worst_task=one.measures[counted[worst]].task,
        worst_score=float(scores.mean(axis=0)[worst]),
        auc=None if np.isnan(areas).any() else estimate_mean(areas),
        reached=reached(one, counted),
        env_steps=float(np.mean([result["env_steps"] for result in results])),
        updates=float(np.mean([result["updates"] for result in results])),
        wall_seconds=float(np.mean([result["wall_seconds"] for result in results])),
        parameters=parameters,
        size_ratio=parameters / fewest,
        larger=parameters > MOST_RATIO * fewest,
    )


def reached(one: Scored, counted: Sequence[int]) -> tuple[Reached, ...]:
    """Return when the mean over tasks came to each threshold; empty for raw returns and without evaluations."""
    means = mean_curves(one, counted)
    if means is None or one.measures[counted[0]].kind == RETURN:
        return ()
    found = []
    for threshold in THRESHOLDS:
        steps = [steps_to(curve, threshold) for curve in means]
        known = [step for step in steps if step is not None]
        median = float(np.median([np.inf if step is None else step for step in steps]))
        found.append(Reached(threshold, int(median) if np.isfinite(median) else None, len(known), len(steps)))
    return tuple(found)


def _parameters(group: Group) -> int:
    return int(group.runs[0].result["parameters"])
