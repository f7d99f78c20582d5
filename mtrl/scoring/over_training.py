"""Compare two agents over training, not only at its end: a table, and a sentence about what one seed shows."""

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
from mtrl.runs.result import scores_before
from mtrl.scoring.score_table import gathered

THRESHOLD = 0.8
Z_95 = 1.96  # standard errors on either side of a 95 % interval
MIN_LEAD = 0.01  # smaller differences of areas do not count


@dataclass(frozen=True)
class CurveComparison:
    """Both agents' success curves on a task, a group or all tasks: the area under each, and its steps to .8."""

    label: str
    areas: tuple[float, float]
    reached: tuple[int | None, int | None]
    error: float  # standard error of the difference of the areas, from the number of evaluated episodes alone

    @property
    def difference(self) -> float:
        """The first agent's area minus the second's."""
        return self.areas[0] - self.areas[1]


def over_training(results: Sequence[dict[str, Any]], episodes: int) -> list[CurveComparison]:
    """Compare two runs' success curves by task, or by group if tasks are many; the last row is over all tasks.

    ``episodes`` is the number of episodes per task and evaluation. The result is empty unless there are two runs whose
    tasks all report success and were evaluated more than once.
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
    starts = [scores_before(result) for result in results]
    return [_row(label, own, curves, starts, total, episodes) for label, own in (*units.items(), ("mean", names))]


def _row(
    label: str,
    names: Sequence[str],
    sides: Sequence[Mapping[str, Curve]],
    starts: Sequence[Mapping[str, Mapping[str, Any]]],
    total: int,
    episodes: int,
) -> CurveComparison:
    means = [mean_curve([side[name] for name in names]) for side in sides]
    begin = [float(np.mean([own.get(name, {}).get("success_any") or 0.0 for name in names])) for own in starts]
    first, second = (area_under_curve(curve, total, own) for curve, own in zip(means, begin, strict=True))
    errors = [_error(side[name], total, episodes) for side in sides for name in names]
    error = float(np.sqrt(np.sum(np.square(errors)))) / len(names)
    first_step, second_step = (steps_to(curve, THRESHOLD, own) for curve, own in zip(means, begin, strict=True))
    return CurveComparison(label, (first, second), (first_step, second_step), error)


def _error(curve: Curve, total: int, episodes: int) -> float:
    """Return the standard error of an area, from that of each evaluation's success rate and its weight in the area.

    Half a success and half a failure are added, since a rate of 0 or 1 over few episodes is not certain.
    """
    steps = np.concatenate([[0], curve.steps, [max(total, curve.steps[-1])]])
    widths = np.diff(steps)
    weights = (widths[:-1] + widths[1:]) / 2
    weights[-1] += widths[-1] / 2  # the last evaluation also covers the rest of the training
    share = (episodes * curve.values + 0.5) / (episodes + 1)
    variance = share * (1 - share) / episodes
    return float(np.sqrt(np.sum((weights / steps[-1]) ** 2 * variance)))


def over_training_table(rows: Sequence[CurveComparison], agents: Sequence[str], steps: int) -> Table:
    """Return the rows as a table that fits into 80 columns."""
    title = f"over training: success over {steps:,} steps per task"
    caption = f"area: mean height of the success curve; to {THRESHOLD:.0%}: steps per task until the mean reaches it"
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


def verdict_of_one_seed(rows: Sequence[CurveComparison], agents: Sequence[str], seed: int) -> str:
    """Return a sentence about what two runs show of learning together, and what they cannot show."""
    *parts, mean = rows
    first, second = agents
    ahead, behind = ([row for row in parts if _lead(row) == sign] for sign in (1, -1))
    what = "groups" if "(" in parts[0].label else "tasks"
    led = f"{first} is ahead of {second} on {len(ahead)} of {len(parts)} {what}"
    lost = f"behind on {len(behind)}{_worst(behind)}"
    area = f"over all tasks the difference of areas is {mean.difference:+.2f} ± {Z_95 * mean.error:.2f}"
    return (
        f"{led}, {lost}; {area}, where the ± covers only the evaluated episodes. This is one seed ({seed}); others may "
        "differ by more: run mtrl.sweep --seeds 0-4, then mtrl.compare."
    )


def _lead(row: CurveComparison) -> int:
    """Return 1 if the first agent's area is larger by more than its error, -1 if smaller, else 0."""
    if abs(row.difference) <= max(Z_95 * row.error, MIN_LEAD):
        return 0
    return 1 if row.difference > 0 else -1


def _worst(rows: Sequence[CurveComparison]) -> str:
    """Name the row with the largest loss, if any."""
    if not rows:
        return ""
    worst = min(rows, key=lambda row: row.difference)
    return f" (most on {worst.label.partition(' (')[0]}, {worst.difference:+.2f})"


def _steps(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
