"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table


def comparison_table(results: Sequence[dict[str, Any]]) -> Table:
    """Return a table with a row per task: the first result, and, where there is a second, it and the difference.

    Success is counted at any step of the episode; a task that does not say it is shown by its return.
    """
    first = results[0]
    measure = "return" if first["mean"]["success_any"] is None else "success_any"
    words = "return" if measure == "return" else "success"
    episodes = min(task["episodes"] for task in first["tasks"].values())
    seeds = ", ".join(sorted({str(r["seed"]) for r in results}))
    table = Table(
        title=f"{first['suite']}: {words} over {episodes} episodes a task, seed {seeds}", title_justify="left"
    )
    table.add_column("task")
    for result in results:
        table.add_column(result["agent"], justify="right")
    if len(results) == 2:
        table.add_column("difference", justify="right")
    for name, scores in first["tasks"].items():
        own = "return" if scores["success_any"] is None else measure
        label = escape(name) if own == measure else f"{escape(name)} (return)"
        table.add_row(label, *_cells([result["tasks"][name][own] for result in results], own))
    table.add_section()
    table.add_row("mean", *_cells([result["mean"][measure] for result in results], measure))
    return table


def _cells(values: Sequence[float | None], measure: str) -> list[str]:
    places = 2 if measure == "success_any" else 1
    cells = ["-" if value is None else f"{value:.{places}f}" for value in values]
    if len(values) == 2:
        first, second = values
        known = first is not None and second is not None
        cells.append(f"{first - second:+.{places}f}" if known else "-")  # type: ignore[operator]
    return cells
