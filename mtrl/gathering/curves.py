"""Evaluation curves: read them, compute the area under one, and find where one first reaches a threshold."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PREFIX = "eval/"


@dataclass(frozen=True)
class Curve:
    """Results of evaluations: ``steps`` (E,), increasing environment steps per task, and ``values`` (E,)."""

    steps: np.ndarray
    values: np.ndarray


def read_curves(path: Path, prefix: str = PREFIX) -> dict[str, Curve]:
    """Return the curves in a ``metrics.csv`` by tag; ``prefix`` selects tags, by default those of evaluations.

    Of a step that was written twice, the last value counts. Raises ``OSError`` and ``ValueError`` for a file that is
    missing or damaged.
    """
    points: dict[str, dict[int, float]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file), None)
        if header != ["step", "seconds", "tag", "value"]:
            raise ValueError(f"its first line is {header}, not step,seconds,tag,value")
        # Most lines are about training; searching for the prefix is much cheaper than parsing them.
        for row in csv.reader(line for line in _complete(file) if prefix in line):
            if len(row) != 4:
                raise ValueError(f"a line holds {len(row)} values, not 4: {','.join(row)}")
            step, value = int(row[0]), float(row[3])
            if not math.isfinite(value):
                raise ValueError(f"{row[2]} is {row[3]} at step {step}")
            points.setdefault(row[2], {})[step] = value
    return {tag: _curve(own) for tag, own in points.items() if tag.startswith(prefix)}


def _complete(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a file. Raises ``ValueError`` if its last one is incomplete."""
    line = "\n"
    for line in lines:
        yield line
    if not line.endswith("\n"):
        raise ValueError(f"its last line is incomplete: {line}")


def _curve(points: dict[int, float]) -> Curve:
    steps = sorted(points)
    return Curve(np.array(steps, dtype=np.int64), np.array([points[step] for step in steps]))


def area_under_curve(curve: Curve, total: int, start: float | None = 0.0) -> float:
    """Return the mean height of a curve over 0 to ``total`` steps, by the trapezoid rule.

    Before the first evaluation the curve is linear from ``start`` at step 0: the score of an untrained policy (no
    success, or the score of random actions), or of the policy that training started from. It is flat there if that is
    None, which means unknown, and flat after the last evaluation. This is Continual World's area (Wolczyk et al. 2021,
    eq. 1) on the grid of the evaluations.
    """
    first = curve.values[0] if start is None else start
    steps = np.concatenate([[0], curve.steps, [max(total, curve.steps[-1])]])
    values = np.concatenate([[first], curve.values, [curve.values[-1]]])
    # Written out, since NumPy 2 has renamed its function.
    return float(np.sum((values[1:] + values[:-1]) / 2 * np.diff(steps)) / steps[-1])


def thinned(curve: Curve, every: int) -> Curve:
    """Return a curve with only the evaluations at each multiple of ``every`` steps and the last one."""
    kept = np.diff(curve.steps // every, prepend=0) > 0
    kept[-1] = True
    return Curve(curve.steps[kept], curve.values[kept])


def steps_to(curve: Curve, threshold: float, start: float | None = None) -> int | None:
    """Return the step of the first evaluation of at least ``threshold``, or None.

    ``start``, if known, is the score at step 0, where a run that starts from another one may be there already.
    """
    threshold -= 1e-9  # means of successes are rounded
    if start is not None and start >= threshold:
        return 0
    reached = np.flatnonzero(curve.values >= threshold)
    return int(curve.steps[reached[0]]) if reached.size else None


def mean_curve(curves: list[Curve]) -> Curve:
    """Return the mean of curves on the union of their steps, interpolated linearly, flat outside."""
    steps = np.unique(np.concatenate([curve.steps for curve in curves]))
    return Curve(steps, np.mean([np.interp(steps, curve.steps, curve.values) for curve in curves], axis=0))
