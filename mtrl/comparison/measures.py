"""The score of a run on a task: success, or a return, normalised to a common scale if possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtrl.gathering.curves import Curve
from mtrl.gathering.gather import Gathered
from mtrl.gathering.grouping import Group
from mtrl.gathering.run import Run
from mtrl.tracking.tags import task_tag

SUCCESS, NORMALISED, RETURN = "success", "normalised return", "return"


@dataclass(frozen=True)
class Measure:
    """The measure of a task: its ``kind``, and the linear scale of a return.

    The score is ``(raw - zero) / span``. ``start`` is the score of an untrained policy, or None if it is not known.
    ``resolution`` is the smallest step between two scores, 0 for a return.
    """

    task: str
    kind: str
    zero: float = 0.0
    span: float = 1.0
    start: float | None = 0.0
    resolution: float = 0.0

    def final(self, run: Run) -> float:
        """Return the score of a run's final weights."""
        return (float(raw_score(run, self.task)) - self.zero) / self.span

    def before(self, run: Run) -> float | None:
        """Return the score before training: ``start``, unless the run started from another one and has recorded it."""
        raw = run.before.get(self.task, {}).get("success_any" if self.kind == SUCCESS else "return")
        return self.start if raw is None else (float(raw) - self.zero) / self.span

    def curve(self, run: Run) -> Curve | None:
        """Return the curve of scores over the run's evaluations, or None if it had none."""
        raw = run.curves.get(task_tag("eval/success_rate" if self.kind == SUCCESS else "eval/return", self.task))
        return None if raw is None else Curve(raw.steps, (raw.values - self.zero) / self.span)

    def point_resolution(self, episodes: int) -> float:
        """Return the resolution of a point of the curve, an evaluation of ``episodes``."""
        return 1 / episodes if self.kind == SUCCESS else 0.0


def mean_if_known(scores: Sequence[float | None]) -> float | None:
    """Return the mean of scores, or None if one of them is unknown."""
    known = [score for score in scores if score is not None]
    return float(np.mean(known)) if len(known) == len(scores) else None


def raw_score(run: Run, task: str) -> float:
    """Return a run's success at any step of the episode, or the return of a task that does not report success."""
    scores = run.result["tasks"][task]
    return scores["return"] if scores["success_any"] is None else scores["success_any"]


def measures_of(gathered: Gathered, baseline: Group | None) -> tuple[Measure, ...]:
    """Return the measure of each task; either all returns are normalised or none is, so that their mean is meaningful.

    A normalised return is 0 for random actions and 1 for the baseline, both means over its seeds. Returns are
    normalised if the baseline is better than random actions on every task that does not report success.
    """
    first = gathered.runs[0]
    returns_only = [task for task in gathered.tasks if first.result["tasks"][task]["success_any"] is None]
    scales = {} if baseline is None else {task: _scale(baseline, task) for task in returns_only}
    normalised = bool(scales) and all(scale is not None for scale in scales.values())
    return tuple(
        _measure(gathered, task, task in returns_only, scales[task] if normalised and task in returns_only else None)
        for task in gathered.tasks
    )


def _measure(gathered: Gathered, task: str, by_return: bool, scale: tuple[float, float] | None) -> Measure:
    if not by_return:
        episodes = gathered.runs[0].result["tasks"][task].get("episodes")
        return Measure(task, SUCCESS, resolution=1 / episodes if episodes else 0.0)
    if scale is None:
        return Measure(task, RETURN, start=None)
    return Measure(task, NORMALISED, *scale)


def _scale(baseline: Group, task: str) -> tuple[float, float] | None:
    """Return the mean return of random actions and the baseline's gain over it, or None without a positive gain."""
    random_returns = [run.result["tasks"][task].get("random_return") for run in baseline.runs]
    known = [value for value in random_returns if value is not None]
    if len(known) < len(random_returns):
        return None
    zero = float(np.mean(known))
    span = float(np.mean([raw_score(run, task) for run in baseline.runs])) - zero
    return (zero, span) if span > 0 else None


def headline(measures: tuple[Measure, ...]) -> str:
    """Return the kind of score used for means over tasks: success if any task reports it."""
    kinds = {measure.kind for measure in measures}
    return next(kind for kind in (SUCCESS, NORMALISED, RETURN) if kind in kinds)
