"""Many tasks by their groups, for tables and pictures that would be too long with a line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from envs.suite import TaskSuite

FEW = 20  # so many tasks are always shown each
Groups = Mapping[str, Sequence[str]]  # a group to the names of its tasks


def by_group(groups: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names of many tasks by group, given each one's; nothing where they are few, or one has no group."""
    found: dict[str, list[str]] = {}
    for name, group in groups.items():
        found.setdefault(group, []).append(name)
    return found if len(groups) > FEW and "" not in found else {}


def groups_of(suite: TaskSuite) -> dict[str, list[str]]:
    """Return the names of a suite's many tasks by group, likewise."""
    return by_group({task.name: task.group for task in suite.tasks})


def table_by_group(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str], groups: Groups
) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Return means (G, C) over the tasks of each group of numbers (R, C) by task, and the names of rows and columns.

    Columns that are the same tasks are gathered too, (G, G), what a task is beside itself left out. NaN is what is not
    known. Rows that are not the tasks of ``groups`` stay as they are.
    """
    if not groups or {*rows} != {name for own in groups.values() for name in own}:
        return values, (*rows,), (*columns,)
    square = [*rows] == [*columns]
    of_group = np.array([[name in own for name in rows] for own in groups.values()], dtype=np.float64)  # (G, R)
    across = of_group if square else np.eye(len(columns))
    known = np.isfinite(values) & ~np.eye(len(rows), dtype=bool) if square else np.isfinite(values)
    count = of_group @ known @ across.T
    total = of_group @ np.where(known, values, 0.0) @ across.T
    means = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
    return means, (*groups,), (*groups,) if square else (*columns,)
