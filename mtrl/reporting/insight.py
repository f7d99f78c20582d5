"""Read a run's diagnostic tables, average them over seeds, and describe them in words."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtrl.errors import UsageError
from mtrl.pictures.names import shortened
from mtrl.runs.checksums import check_file
from mtrl.runs.folder import MATRICES
from mtrl.scoring.many_tasks import Groups, table_by_group

MAX_NAMED = 3  # pairs listed in a sentence
AGREE = "So the tasks agree by then, which does not mean that sharing cost nothing."
MAX_HEADING = 20  # characters of a column's heading
MAX_UPRIGHT = 6  # characters of headings that are not rotated
MAX_WRITTEN = 12  # columns of tables with values written into the cells
UNINFORMED = 0.05  # share of the possible information about the task, below which attention counts as uninformed


@dataclass(frozen=True)
class Table:
    """Values (R, C) with the names of rows and columns; NaN marks unknown values."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray

    def by_group(self, groups: Groups) -> Table:
        """Return the means over each group's tasks of a table by task; without groups, the table itself."""
        values, rows, columns = table_by_group(self.values, self.rows, self.columns, groups)
        return Table(rows, columns, values)

    def ordered(self, rows: tuple[str, ...], columns: tuple[str, ...]) -> Table:
        """Return the table with its rows and columns in this order, or itself if it has other names."""
        if sorted(rows) != sorted(self.rows) or sorted(columns) != sorted(self.columns):
            return self
        across = [self.columns.index(name) for name in columns]
        return Table(rows, columns, self.values[[self.rows.index(name) for name in rows]][:, across])

    @property
    def headings(self) -> list[tuple[str, str]]:
        """Each column's name and its shortened heading."""
        return list(zip(self.columns, shortened(self.columns, MAX_HEADING), strict=True))

    @property
    def upright(self) -> bool:
        """Whether headings are rotated, as they are too long to fit side by side."""
        return max(map(len, self.columns)) > MAX_UPRIGHT

    @property
    def many(self) -> bool:
        """Whether there are too many columns to write values into the cells."""
        return len(self.columns) > MAX_WRITTEN

    @property
    def lines(self) -> list[tuple[str, list[float | None]]]:
        """Each row's name and its values; None marks unknown ones."""
        return [
            (name, [float(v) if math.isfinite(v) else None for v in line])
            for name, line in zip(self.rows, self.values, strict=True)
        ]


def readable(path: Path) -> bool:
    """Return whether a file of a run exists and is intact; warn if it has changed since it was written."""
    try:
        check_file(path)
    except UsageError as error:
        sys.stderr.write(f"warning: left out: {error}\n")
        return False
    return path.is_file()


def read_tables(run: Path) -> dict[str, list[tuple[int, Table]]]:
    """Return a run's tables by name, each with its number of steps per task, in the order of writing.

    Incomplete or damaged lines are left out with a warning; the rest of the run is still used.
    """
    tables: dict[str, list[tuple[int, Table]]] = {}
    path = run / MATRICES
    if not readable(path):
        return tables
    damaged = 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
            values = np.array(entry["values"], dtype=np.float64)
            rows, columns = tuple(map(str, entry["rows"])), tuple(map(str, entry["columns"]))
            if not values.size or values.shape != (len(rows), len(columns)):
                raise ValueError("its names do not match its numbers")
            name, step = str(entry["name"]), int(entry["step"])
            if name in tables and (tables[name][0][1].rows, tables[name][0][1].columns) != (rows, columns):
                raise ValueError("its names are not those of the tables before")
            tables.setdefault(name, []).append((step, Table(rows, columns, values)))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            damaged += 1
    if damaged:
        sys.stderr.write(f"warning: {damaged} lines of {str(path)!r} are damaged and skipped\n")
    return tables


def halves(entries: Sequence[tuple[int, Table]]) -> tuple[Table | None, Table]:
    """Return the means over the tables of a run's first half, by steps (None without any), and of its second half."""
    last = entries[-1][0]
    first = [table for step, table in entries if 2 * step < last]
    return mean_table(first) if first else None, mean_table([table for step, table in entries if 2 * step >= last])


def mean_table(tables: Sequence[Table]) -> Table:
    """Return the mean of each cell over tables of one size, by name if they have the same names, ignoring NaN."""
    rows, columns = tables[0].rows, tables[0].columns
    stacked = np.stack([table.ordered(rows, columns).values for table in tables])
    known = np.isfinite(stacked)
    count = known.sum(axis=0)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return Table(rows, columns, mean)


def snapshots(entries: Sequence[tuple[int, Table]], count: int = 4) -> list[tuple[int, Table]]:
    """Return up to ``count`` tables, evenly spaced from the first to the last."""
    chosen = np.unique(np.linspace(0, len(entries) - 1, min(count, len(entries))).round().astype(int))
    return [entries[k] for k in chosen]


def routing_similarity(attention: Table) -> Table:
    """Return cosines (T, T) between the tasks' weights over encoders (T, K)."""
    norms = np.linalg.norm(attention.values, axis=1, keepdims=True)
    unit = attention.values / np.maximum(norms, 1e-12)
    return Table(attention.rows, attention.rows, unit @ unit.T)


def conflicting_pairs(cosines: Table) -> list[tuple[str, str, float]]:
    """Return the pairs of tasks that conflict, which have a negative cosine, the worst first.

    This is definition 1 of Yu et al. 2020 (gradient surgery), also used by
    ``agents.diagnostics.measures.conflict_rate``.
    """
    return sorted((pair for pair in _pairs(cosines) if pair[2] < 0.0), key=lambda pair: pair[2])


def say_how_many(cosines: Table) -> str:
    """Return how many of the known pairs of tasks conflict, as text."""
    return f"{len(conflicting_pairs(cosines))} of {len(_pairs(cosines))}"


def say_of_gradients(whose: str, late: Table, early: Table | None = None) -> list[str]:
    """Describe how many pairs of tasks conflict in the gradients of the critic or the actor, ``whose``, and which most.

    ``late`` has the mean cosines of the second half of training, ``early`` those of the first.
    """
    pairs = _pairs(late)
    if not pairs:
        return []
    found = conflicting_pairs(late)
    lowest = min(pairs, key=lambda pair: pair[2])
    count = f"{say_how_many(late)} pairs of tasks" if found else "No pair of tasks"
    verb = "conflict" if len(found) > 1 else "conflicts"
    rest = f"the worst: {_named(found)}." if found else f"the lowest mean cosine is that of {_named([lowest])}. {AGREE}"
    sentence = f"{whose.capitalize()}: {count} {verb} in the second half of training; {rest}"
    before = [] if early is None else conflicting_pairs(early)
    resolved = [pair for pair in before if pair[:2] not in {other[:2] for other in found}]
    return [sentence, *([f"These conflicted only in the first half: {_named(resolved)}."] if resolved else [])]


def _named(pairs: Sequence[tuple[str, str, float]]) -> str:
    shown = "; ".join(f"{first} and {second} ({value:.2f})" for first, second, value in pairs[:MAX_NAMED])
    return f"{shown}; and {len(pairs) - MAX_NAMED} more" if len(pairs) > MAX_NAMED else shown


def say_of_attention(attention: Table, information: float) -> str:
    """Describe whether attention distinguishes tasks; ``information`` is what it has about the task, in nats."""
    tasks, encoders = attention.values.shape
    most = math.log(min(tasks, encoders))
    if most <= 0.0:
        return "There is one encoder or one task, so attention has nothing to choose."
    share = information / most
    amount = f"{information:.2f} of at most {most:.2f} nats of information about the task"
    if share < UNINFORMED:
        return f"Attention gives every task nearly the same mixture ({amount}): the encoders act as one."
    return f"Attention sends tasks to different encoders ({amount}, {share:.0%})."


def _pairs(cosines: Table) -> list[tuple[str, str, float]]:
    names = cosines.rows
    return [
        (names[i], names[j], float(cosines.values[i, j]))
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if math.isfinite(cosines.values[i, j])
    ]
