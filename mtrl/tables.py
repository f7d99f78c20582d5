"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from rich.markup import escape
from rich.table import Table

ALONE = ("single-task", "sb3")  # agents that share nothing: what a task comes to when it is learned alone


def comparison_table(results: Sequence[dict[str, Any]]) -> Table:
    """Return a table with a row per task: the first result, and, where there is a second, it and the difference.

    Success is counted at any step of the episode; a task that does not say it is shown by its return, and beside a
    single-task baseline by its normalised return too. Held-out tasks show on which side of the trained range they are.
    """
    first = results[0]
    measure = "return" if first["mean"]["success_any"] is None else "success_any"
    ranges = {name: scores.get("range") for name, scores in first["tasks"].items()}
    normalised = normalised_returns(results)
    table = Table(title=_title(results, measure), title_justify="left")
    table.add_column("task")
    if any(ranges.values()):
        table.add_column("range")
    for result in results:
        table.add_column(result["agent"], justify="right")
    if len(results) == 2:
        table.add_column("difference", justify="right")
    if normalised:
        table.add_column("normalised", justify="right")

    def row(label: str, side: str | None, values: Sequence[float | None], own: str, share: float | None) -> None:
        sides = ["-" if side is None else side] if any(ranges.values()) else []
        shares = ["-" if share is None else f"{share:.2f}"] if normalised else []
        table.add_row(label, *sides, *_cells(values, own), *shares)

    for name, scores in first["tasks"].items():
        own = "return" if scores["success_any"] is None else measure
        label = escape(name) if own == measure else f"{escape(name)} (return)"
        row(label, ranges[name], [result["tasks"][name][own] for result in results], own, normalised.get(name))
    table.add_section()
    row("mean", "", [result["mean"][measure] for result in results], measure, _mean(normalised.values()))
    for side in sorted({side for side in ranges.values() if side is not None}):
        mine = [name for name, own in ranges.items() if own == side]
        means = [_mean(result["tasks"][name][measure] for name in mine) for result in results]
        row(f"mean {side}", "", means, measure, _mean(normalised.get(name) for name in mine))
    return table


def normalised_returns(results: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Return, by task without success, where a return lies between random actions (0) and the task alone (1).

    It is (R - R_random) / (R_baseline - R_random), None where the baseline is no better than random actions, and the
    table is empty without a single-task baseline.
    """
    if len(results) != 2 or results[1]["agent"] not in ALONE:
        return {}
    shares: dict[str, float | None] = {}
    for name, scores in results[0]["tasks"].items():
        chance = scores.get("random_return")
        if scores["success_any"] is None and chance is not None:
            span = results[1]["tasks"][name]["return"] - chance
            shares[name] = (scores["return"] - chance) / span if span > 0 else None
    return shares


def _title(results: Sequence[dict[str, Any]], measure: str) -> str:
    first = results[0]
    what = f"{first['suite']}, held-out tasks" if first.get("held_out") else first["suite"]
    words = "return" if measure == "return" else "success"
    counts = sorted({task["episodes"] for task in first["tasks"].values()})
    episodes = " to ".join(map(str, counts[:: max(len(counts) - 1, 1)]))
    seeds = ", ".join(sorted({str(r["seed"]) for r in results}))
    return f"{what}: {words} over {episodes} episodes a task, seed {seeds}"


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _cells(values: Sequence[float | None], measure: str) -> list[str]:
    places = 2 if measure == "success_any" else 1
    cells = ["-" if value is None else f"{value:.{places}f}" for value in values]
    if len(values) == 2:
        first, second = values
        known = first is not None and second is not None
        cells.append(f"{first - second:+.{places}f}" if known else "-")  # type: ignore[operator]
    return cells
