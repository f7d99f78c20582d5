"""Arrays of scores, areas and curves of a group's runs; its learning curves with bands; a row per run and task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mtrl.comparison.measures import RETURN, SUCCESS, Measure, mean_if_known
from mtrl.comparison.outcomes import THRESHOLDS, Band, RunTaskRow
from mtrl.comparison.statistics import estimate_band
from mtrl.gathering.curves import Curve, area_under_curve, mean_curve, steps_to, thinned
from mtrl.gathering.grouping import Group
from mtrl.gathering.run import Run


@dataclass(frozen=True)
class Scored:
    """A group's runs as arrays: scores and areas are (seeds, tasks).

    ``every`` is the number of steps between the evaluations that count, where runs were not evaluated equally often:
    with fewer evaluations a curve rises later, and the area under it is smaller.
    """

    group: Group
    measures: tuple[Measure, ...]
    total: int  # steps per task
    every: int | None = None

    @cached_property
    def scores(self) -> np.ndarray:
        """Scores of the final weights."""
        return np.array([[measure.final(run) for measure in self.measures] for run in self.group.runs])

    @cached_property
    def curves(self) -> list[list[Curve | None]]:
        """Curves, by seed and task."""
        found = [[measure.curve(run) for measure in self.measures] for run in self.group.runs]
        if self.every is None:
            return found
        return [[None if curve is None else thinned(curve, self.every) for curve in row] for row in found]

    @cached_property
    def starts(self) -> list[list[float | None]]:
        """Scores before training, None where unknown, by seed and task."""
        return [[measure.before(run) for measure in self.measures] for run in self.group.runs]

    @cached_property
    def areas(self) -> np.ndarray:
        """Areas under the curves, NaN without a curve."""
        return np.array(
            [
                [
                    np.nan if curve is None else area_under_curve(curve, self.total, start)
                    for curve, start in zip(row, starts, strict=True)
                ]
                for row, starts in zip(self.curves, self.starts, strict=True)
            ]
        )

    @cached_property
    def resolution(self) -> np.ndarray:
        """Resolution of final scores (T,): the smallest step between two of them, 0 for a return."""
        return np.array([measure.resolution for measure in self.measures])

    @cached_property
    def evaluation_resolution(self) -> np.ndarray:
        """Resolution of a point of a curve (T,)."""
        episodes = self.group.runs[0].config.eval_episodes
        return np.array([measure.point_resolution(episodes) for measure in self.measures])

    @cached_property
    def area_resolution(self) -> np.ndarray:
        """Resolution of an area (T,): it is a mean of K evaluations, each of which is rounded."""
        points = np.array([np.inf if curve is None else len(curve.steps) for curve in self.curves[0]])
        return self.evaluation_resolution / np.sqrt(points)

    @cached_property
    def has_areas_by_task(self) -> np.ndarray:
        """The tasks for which all seeds have a curve (T,)."""
        return ~np.isnan(self.areas).any(axis=0)

    def has_areas(self, counted: Sequence[int]) -> bool:
        """Return whether all seeds have a curve of each task ``counted``."""
        return bool(self.has_areas_by_task[counted].all())


def mean_curves(one: Scored, counted: Sequence[int]) -> list[Curve] | None:
    """Return each seed's curve of the mean over tasks, or None if a curve is missing."""
    means = []
    for row in one.curves:
        own = [row[i] for i in counted]
        known = [curve for curve in own if curve is not None]
        if len(known) < len(own):
            return None
        means.append(mean_curve(known))
    return means


def mean_starts(one: Scored, counted: Sequence[int]) -> list[float | None]:
    """Return each seed's mean score over tasks before training, None where one is unknown."""
    return [mean_if_known([row[i] for i in counted]) for row in one.starts]


def bands(one: Scored, counted: Sequence[int]) -> list[Band]:
    """Return the group's learning curves with their bands: the mean over tasks, then each task."""
    kind = one.measures[counted[0]].kind
    found = []
    if mean_curves(one, counted) is not None:
        found.append(_band(one, None, kind, counted))
    for t, measure in enumerate(one.measures):
        if all(row[t] is not None for row in one.curves):
            found.append(_band(one, measure.task, measure.kind, [t]))
    return found


def _band(one: Scored, task: str | None, kind: str, tasks: Sequence[int]) -> Band:
    """Interpolate the curves of ``tasks`` at common steps (S, T, E), and return their mean with its interval."""
    curves = [[row[t] for t in tasks] for row in one.curves]
    steps = np.unique(np.concatenate([curve.steps for row in curves for curve in row if curve is not None]))
    values = np.array(
        [[np.interp(steps, curve.steps, curve.values) for curve in row if curve is not None] for row in curves]
    )
    interval = estimate_band(values, one.evaluation_resolution[tasks])
    if interval is not None and kind == SUCCESS:
        interval = interval[0].clip(min=0.0), interval[1].clip(max=1.0)
    low, high = (None, None) if interval is None else (tuple(map(float, end)) for end in interval)
    return Band(
        one.group.label, task, kind, tuple(map(int, steps)), tuple(map(float, values.mean(axis=(0, 1)))), low, high
    )


def rows(one: Scored) -> list[RunTaskRow]:
    """Return a row per run and task."""
    return [_row(one, s, t, run) for s, run in enumerate(one.group.runs) for t in range(len(one.measures))]


def _row(one: Scored, s: int, t: int, run: Run) -> RunTaskRow:
    measure, curve, area = one.measures[t], one.curves[s][t], one.areas[s, t]
    entry = run.result["tasks"][measure.task]
    marks: list[int | None] = [None] * len(THRESHOLDS)
    if curve is not None and measure.kind != RETURN:
        marks = [steps_to(curve, threshold, one.starts[s][t]) for threshold in THRESHOLDS]
    return RunTaskRow(
        agent=one.group.label,
        seed=run.config.seed,
        task=measure.task,
        measure=measure.kind,
        score=float(one.scores[s, t]),
        success_any=entry["success_any"],
        success_last=entry.get("success_last"),
        episode_return=entry["return"],
        random_return=entry.get("random_return"),
        auc=None if np.isnan(area) else float(area),
        steps_to_50=marks[0],
        steps_to_80=marks[1],
        steps_to_95=marks[2],
        parameters=run.result["parameters"],
        env_steps=run.result["env_steps"],
        updates=run.result["updates"],
        wall_seconds=run.result["wall_seconds"],
        cpu_seconds=run.result.get("cpu_seconds"),
        run=str(run.path),
    )
