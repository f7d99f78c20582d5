"""A run's learning curves, read out of its ``metrics.csv`` and drawn as one picture of small multiples."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mtrl.log import per_task

Curve = tuple[list[int], list[float]]  # steps per task, values
WIDTH = 3.2  # inches, at 100 pixels each: TensorBoard shows a picture about 300 pixels wide


def read_curves(metrics: Path, tags: Sequence[str]) -> dict[str, Curve]:
    """Return what a ``metrics.csv`` holds of ``tags``, in their order; a tag without a line has an empty curve."""
    curves: dict[str, Curve] = {tag: ([], []) for tag in tags}
    with metrics.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if line["tag"] in curves:
                steps, values = curves[line["tag"]]
                steps.append(int(line["step"]))
                values.append(float(line["value"]))
    return curves


def task_curves(metrics: Path, names: Sequence[str]) -> tuple[str, dict[str, Curve]]:
    """Return each task's success through training, or return where no task says success, and which of the two."""
    for tag, words in (("eval/success_rate", "success"), ("eval/return", "return")):
        tags = list(per_task(tag, tuple(names), [math.nan] * len(names)))
        curves = read_curves(metrics, tags)
        if any(steps for steps, _ in curves.values()):
            return words, dict(zip(names, curves.values(), strict=True))
    return "return", {name: ([], []) for name in names}


def learning_curves(curves: Mapping[str, Curve], measure: str) -> np.ndarray:
    """Draw each task's curve in a panel of its own -> (H, W, 3) uint8, W being 320; success runs from 0 to 1."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(len(curves), 2 if len(curves) <= 20 else 3)
    rows = math.ceil(len(curves) / columns)
    figure = Figure(figsize=(WIDTH, 0.45 + 0.72 * rows), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    last = max((steps[-1] for steps, _ in curves.values() if steps), default=1)
    for k, (name, (steps, values)) in enumerate(curves.items()):
        axes = figure.add_subplot(rows, columns, k + 1)
        axes.plot(steps, values, color="#1f5fa8", linewidth=1.5, marker="." if len(steps) < 3 else "")
        axes.set_title(name[: 40 // columns], fontsize=9, pad=2, loc="left")
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
    """Say a number of steps in few letters: 80k, 2M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if steps >= size:
            return f"{steps / size:.3g}{letter}"
    return str(steps)
