"""Group many tasks, for tables and images that would be too long with a line per task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from envs.suite import TaskSuite

FEW = 20  # up to this number, tasks are shown one by one
Groups = Mapping[str, Sequence[str]]  # the names of the tasks of each group


def by_group(groups: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names of many tasks by group, given each one's; empty if they are few or one has no group."""
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
    """Return group means (G, C) of values (R, C) by task, and the names of rows and columns.

    If the columns are the same tasks, they are averaged too, (G, G), without the diagonal. NaN marks unknown values. A
    table whose rows are not the tasks of ``groups`` is returned unchanged.
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
