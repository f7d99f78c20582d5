"""A run's learning curves, read from its ``metrics.csv`` and drawn as one image of small multiples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mtrl.gathering.curves import Curve, mean_curve, read_curves
from mtrl.pictures.names import names_as_they_are, shortened
from mtrl.scoring.many_tasks import Groups
from mtrl.tracking.run_log import per_task

WIDTH = 3.2  # inches, at 100 pixels each: TensorBoard shows images about 300 pixels wide
MAX_LINE_LENGTH = 40  # characters of the names side by side


def task_curves(metrics: Path, names: Sequence[str]) -> tuple[str, dict[str, Curve | None]]:
    """Return which measure is shown, success or (if no task reports it) return, and each task's curve of it."""
    curves = read_curves(metrics)
    for tag, words in (("eval/success_rate", "success"), ("eval/return", "return")):
        tags = per_task(tag, tuple(names), [math.nan] * len(names))
        if any(own in curves for own in tags):
            return words, {name: curves.get(own) for name, own in zip(names, tags, strict=True)}
    return "return", dict.fromkeys(names)


def curves_by_group(curves: Mapping[str, Curve | None], groups: Groups) -> Mapping[str, Curve | None]:
    """Return each group's mean over its tasks that have a curve; without groups, the tasks' own curves."""
    if not groups:
        return curves
    known = {group: [curve for name in own if (curve := curves.get(name))] for group, own in groups.items()}
    return {group: mean_curve(own) if own else None for group, own in known.items()}


@names_as_they_are()
def learning_curves(curves: Mapping[str, Curve | None], measure: str) -> np.ndarray:
    """Draw each task's curve in a separate panel of an image (H, 320, 3) uint8; success runs from 0 to 1."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(len(curves), 2 if len(curves) <= 20 else 3)
    rows = math.ceil(len(curves) / columns)
    figure = Figure(figsize=(WIDTH, 0.45 + 0.72 * rows), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    last = max((int(curve.steps[-1]) for curve in curves.values() if curve is not None), default=1)
    titles = shortened(list(curves), MAX_LINE_LENGTH // columns)
    for k, (title, curve) in enumerate(zip(titles, curves.values(), strict=True)):
        axes = figure.add_subplot(rows, columns, k + 1)
        if curve is not None:
            mark = "." if len(curve.steps) < 3 else ""
            axes.plot(curve.steps, curve.values, color="#1f5fa8", linewidth=1.5, marker=mark)
        axes.set_title(title, fontsize=9, pad=2, loc="left")
        axes.set_xlim(0, last)
        if measure == "success":
            axes.set_ylim(-0.05, 1.05)
            axes.set_yticks([0, 1])
        axes.tick_params(labelsize=8, length=2, pad=1)
        axes.set_xticks([0, last], ["0", _short(last)] if k + columns >= len(curves) else ["", ""])
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(f"{measure} over steps per task", fontsize=9)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _short(steps: int) -> str:
    """Format a number of steps briefly: 80k, 2M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if steps >= size:
            return f"{steps / size:.3g}{letter}"
    return str(steps)
