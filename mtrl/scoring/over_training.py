"""How two agents compare through training, not only at its end: a table, and a sentence on what one seed says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.markup import escape
from rich.table import Table

from mtrl.gathering.curves import Curve, area_under_curve, mean_curve, steps_to
from mtrl.pictures.learning_curves import task_curves
from mtrl.runs.folder import METRICS
from mtrl.scoring.score_table import gathered

THRESHOLD = 0.8
NORMAL = 1.96  # standard errors to either side of a 95 % interval
DIFFERS = 0.01  # of an area: less is no lead


@dataclass(frozen=True)
class Row:
    """A task, a group of tasks or all of them: each agent's curve of success, (area under it, steps to .8) of each."""

    label: str
    areas: tuple[float, float]
    reached: tuple[int | None, int | None]
    error: float  # standard error of the difference of the areas, from the number of evaluated episodes alone

    @property
    def difference(self) -> float:
        """How much larger the first agent's area is."""
        return self.areas[0] - self.areas[1]


def over_training(results: Sequence[dict[str, Any]], episodes: int) -> list[Row]:
    """Compare two runs' curves of success, by group where tasks are many, all tasks together in the last row.

    ``episodes`` is how many were evaluated of each task. Empty unless there are two runs whose tasks all say success
    and were evaluated more than once: a single point is no curve.
    """
    if len(results) != 2:
        return []
    names, total = [*results[0]["tasks"]], max(result["steps_per_task"] for result in results)
    read = [task_curves(Path(result["path"]) / METRICS, names) for result in results]
    curves = [{name: curve for name, curve in own.items() if curve is not None} for _, own in read]
    if any(measure != "success" for measure, _ in read) or any(len(own) < len(names) for own in curves):
        return []
    if min(len(curve.steps) for own in curves for curve in own.values()) < 2:
        return []
    groups = gathered(results[0]["tasks"])
    units = {f"{group} ({len(own)})": own for group, own in groups.items()} or {name: [name] for name in names}
    return [_row(label, own, curves, total, episodes) for label, own in (*units.items(), ("mean", names))]


def _row(label: str, names: Sequence[str], sides: Sequence[Mapping[str, Curve]], total: int, episodes: int) -> Row:
    means = [mean_curve([side[name] for name in names]) for side in sides]
    first, second = (area_under_curve(curve, total) for curve in means)
    errors = [_error(side[name], total, episodes) for side in sides for name in names]
    error = float(np.sqrt(np.sum(np.square(errors)))) / len(names)
    return Row(label, (first, second), (steps_to(means[0], THRESHOLD), steps_to(means[1], THRESHOLD)), error)


def _error(curve: Curve, total: int, episodes: int) -> float:
    """Return the standard error of an area: that of each evaluation's share of successes, by its weight in the area.

    Half a success and half a failure are added, since a share of 0 or 1 of few episodes is not certain.
    """
    steps = np.concatenate([[0], curve.steps, [max(total, curve.steps[-1])]])
    widths = np.diff(steps)
    weights = (widths[:-1] + widths[1:]) / 2
    weights[-1] += widths[-1] / 2  # the last evaluation stands for what is left of the training too
    share = (episodes * curve.values + 0.5) / (episodes + 1)
    variance = share * (1 - share) / episodes
    return float(np.sqrt(np.sum((weights / steps[-1]) ** 2 * variance)))


def over_training_table(rows: Sequence[Row], agents: Sequence[str], steps: int) -> Table:
    """Return the rows as a table that fits 80 columns."""
    title = f"through training: success over {steps:,} steps per task"
    caption = f"area: mean height of the success curve; to {THRESHOLD:.0%}: steps per task until the mean is there"
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    table.add_column("group (tasks)" if "(" in rows[0].label else "task", overflow="fold")
    for agent in agents:
        table.add_column(f"{escape(agent)}\narea  to {THRESHOLD:.0%}", justify="right", no_wrap=True)
    table.add_column("difference\nof areas", justify="right", no_wrap=True)
    for row in rows:
        if row is rows[-1]:
            table.add_section()
        cells = [f"{area:.2f} {_steps(reached):>7}" for area, reached in zip(row.areas, row.reached, strict=True)]
        table.add_row(escape(row.label), *cells, f"{row.difference:+.2f}")
    return table


def verdict_of_one_seed(rows: Sequence[Row], agents: Sequence[str], seed: int) -> str:
    """Return what two runs say of learning together, and what they cannot."""
    *parts, mean = rows
    first, second = agents
    ahead, behind = ([row for row in parts if _lead(row) == sign] for sign in (1, -1))
    what = "groups" if "(" in parts[0].label else "tasks"
    led = f"{first} is ahead of {second} on {len(ahead)} of {len(parts)} {what}"
    lost = f"behind on {len(behind)}{_worst(behind)}"
    area = f"over all tasks the difference of areas is {mean.difference:+.2f} ± {NORMAL * mean.error:.2f}"
    return (
        f"{led}, {lost}; {area}, which counts the evaluated episodes alone. This is seed {seed}, and another may "
        "differ by more: mtrl.sweep --seeds 0-4, then mtrl.compare, say by how much."
    )


def _lead(row: Row) -> int:
    """Return 1 where the first agent's area is larger by more than episodes explain, -1 where smaller, else 0."""
    if abs(row.difference) <= max(NORMAL * row.error, DIFFERS):
        return 0
    return 1 if row.difference > 0 else -1


def _worst(rows: Sequence[Row]) -> str:
    """Name the row that lost most, if there is one."""
    if not rows:
        return ""
    worst = min(rows, key=lambda row: row.difference)
    return f" (most on {worst.label.partition(' (')[0]}, {worst.difference:+.2f})"


def _steps(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
