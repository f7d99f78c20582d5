"""A comparison over groups of tasks: the mean over each group's tasks is judged like a single task."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from mtrl.comparison.effects import task_effects
from mtrl.comparison.measures import Measure, mean_if_known, measures_of
from mtrl.comparison.notes import baseline_of
from mtrl.comparison.outcomes import Comparison
from mtrl.comparison.scored import Scored, bands
from mtrl.comparison.statistics import mean_resolution
from mtrl.gathering.curves import Curve, mean_curve
from mtrl.gathering.gather import Gathered
from mtrl.gathering.run import Run
from mtrl.scoring.many_tasks import Groups, by_group


@dataclass(frozen=True)
class GroupMeasure(Measure):
    """The score of a group: the mean over its ``members``, the measures of its tasks, which are of one kind."""

    members: tuple[Measure, ...] = ()

    def final(self, run: Run) -> float:
        """Return the mean score of a run's final weights."""
        return float(np.mean([member.final(run) for member in self.members]))

    def before(self, run: Run) -> float | None:
        """Return the mean score before training, or None if it is not known for a task."""
        return mean_if_known([member.before(run) for member in self.members])

    def curve(self, run: Run) -> Curve | None:
        """Return the curve of the mean score over the run's evaluations, or None if a task had none."""
        curves = [member.curve(run) for member in self.members]
        known = [curve for curve in curves if curve is not None]
        return mean_curve(known) if len(known) == len(curves) else None

    def point_resolution(self, episodes: int) -> float:
        """Return the resolution of the mean over members at a point of the curve."""
        points = np.array([member.point_resolution(episodes) for member in self.members])
        return mean_resolution(points, len(points))


def groups_of_runs(gathered: Gathered) -> dict[str, list[str]]:
    """Return the names of the runs' many tasks by group; empty if they are few or one has no group."""
    entries = gathered.runs[0].result["tasks"]
    return by_group({task: str(entries[task].get("group") or "") for task in gathered.tasks})


def compare_groups(gathered: Gathered, comparison: Comparison, groups: Groups) -> Comparison | None:
    """Return the comparison with the effects and curves of groups, or None if a group's tasks have different measures.

    p-values are adjusted over groups and agents instead of over tasks.
    """
    base = baseline_of(gathered, comparison.baseline)
    by_task = {measure.task: measure for measure in measures_of(gathered, base)}
    members = {group: tuple(by_task[name] for name in own) for group, own in groups.items()}
    if any(len({measure.kind for measure in own}) > 1 for own in members.values()):
        return None
    measures = tuple(_measure(group, own) for group, own in members.items())
    total, every = gathered.steps_per_task, gathered.common_eval_every
    scored = [Scored(group, measures, total, every) for group in gathered.groups]
    sides = [(one, alone) for alone in scored if alone.group is base for one in scored if one is not alone]
    curves = tuple(band for one in scored for band in bands(one, range(len(measures))) if band.task is not None)
    return dataclasses.replace(comparison, tasks=(*groups,), effects=tuple(task_effects(sides)), bands=curves)


def _measure(group: str, members: tuple[Measure, ...]) -> GroupMeasure:
    resolution = mean_resolution(np.array([member.resolution for member in members]), len(members))
    return GroupMeasure(group, members[0].kind, resolution=resolution, members=members)
