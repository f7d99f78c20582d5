"""The effect of training on the tasks of a run that started from another: success before, after, and difference."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from mtrl.scoring.score_table import RANDOM, Scores, comparison_table

NEW, KNOWN = "new", "known"


def change_table(result: dict[str, Any]) -> Table:
    """Return a table with a row per task, or per group of many tasks, of a result that has ``before``.

    A task is new to the source run, or known to it; a group's new tasks have a separate row. A loss on known tasks is
    forgetting.
    """
    before = result["before"]
    kinds = {name: NEW if own["new"] else KNOWN for name, own in before["tasks"].items()}
    after = {name: {**_without_random(own), **_placed(own, kinds[name])} for name, own in result["tasks"].items()}
    earlier = {name: {**own, **before["tasks"][name]} for name, own in after.items()}
    columns = [{**result, "agent": when, "tasks": tasks} for when, tasks in (("after", after), ("before", earlier))]
    table = comparison_table(columns)
    table.title = escape(f"{result['suite']}: what changed since {before['run']}")
    for column in table.columns:
        if column.header == "range":
            column.header = "task is"
    return table


def _placed(scores: Scores, kind: str) -> dict[str, str]:
    """Return the kind and group by which a task is placed: a group's new tasks are separate from the others."""
    group = scores.get("group")
    return {"range": kind, **({"group": f"{group}, {NEW}"} if group and kind == NEW else {})}


def _without_random(scores: Scores) -> Scores:
    return {key: value for key, value in scores.items() if not key.startswith(RANDOM)}
