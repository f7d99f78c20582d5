"""What a run's diagnostics say: tables kept during training, read back, averaged over seeds and put into words."""

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

MAX_NAMED = 3  # pairs in a sentence
AGREE = "That says that they agree by then, not that sharing cost nothing."
LONGEST = 20  # letters of a column's name that are written
SIDE_BY_SIDE = 6  # letters of columns' names that are not turned
MAX_WRITTEN = 12  # columns whose cells have their numbers written into them
BLIND = 0.05  # share of what attention could tell of the task, below which it tells nothing


@dataclass(frozen=True)
class Table:
    """Numbers (R, C) with the names of their rows and columns; NaN where nothing is known."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray

    def by_group(self, groups: Groups) -> Table:
        """Return means over the tasks of each group, of a table by task; without groups, the table itself."""
        values, rows, columns = table_by_group(self.values, self.rows, self.columns, groups)
        return Table(rows, columns, values)

    @property
    def headings(self) -> list[tuple[str, str]]:
        """Each column's name, and what of it is written above the column."""
        return list(zip(self.columns, shortened(self.columns, LONGEST), strict=True))

    @property
    def upright(self) -> bool:
        """Whether names of columns are too long to stand side by side."""
        return max(map(len, self.columns)) > SIDE_BY_SIDE

    @property
    def many(self) -> bool:
        """Whether columns are too many to bear numbers."""
        return len(self.columns) > MAX_WRITTEN

    @property
    def lines(self) -> list[tuple[str, list[float | None]]]:
        """Each row's name and its numbers, None where nothing is known."""
        return [
            (name, [float(v) if math.isfinite(v) else None for v in line])
            for name, line in zip(self.rows, self.values, strict=True)
        ]


def readable(path: Path) -> bool:
    """Say whether a file of a run is there and is what was written; where it is another, that is warned of."""
    try:
        check_file(path)
    except UsageError as error:
        sys.stderr.write(f"warning: left out: {error}\n")
        return False
    return path.is_file()


def read_tables(run: Path) -> dict[str, list[tuple[int, Table]]]:
    """Return a run's tables by name, each with its number of steps per task, in the order of writing.

    A line that is cut short or damaged is left out, with a warning: everything else of the run still counts.
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
    """Return the mean over the tables of a run's first half, by steps, None without any, and of its second half."""
    last = entries[-1][0]
    first = [table for step, table in entries if 2 * step < last]
    return mean_table(first) if first else None, mean_table([table for step, table in entries if 2 * step >= last])


def mean_table(tables: Sequence[Table]) -> Table:
    """Return the cells' means over tables of the same rows and columns, over those in which a cell is known."""
    stacked = np.stack([table.values for table in tables])
    known = np.isfinite(stacked)
    count = known.sum(axis=0)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return Table(tables[0].rows, tables[0].columns, mean)


def snapshots(entries: Sequence[tuple[int, Table]], count: int = 4) -> list[tuple[int, Table]]:
    """Return ``count`` tables spread evenly from the first to the last."""
    chosen = np.unique(np.linspace(0, len(entries) - 1, min(count, len(entries))).round().astype(int))
    return [entries[k] for k in chosen]


def routing_similarity(attention: Table) -> Table:
    """Return cosines (T, T) between the tasks' weights over encoders (T, K)."""
    norms = np.linalg.norm(attention.values, axis=1, keepdims=True)
    unit = attention.values / np.maximum(norms, 1e-12)
    return Table(attention.rows, attention.rows, unit @ unit.T)


def conflicting_pairs(cosines: Table) -> list[tuple[str, str, float]]:
    """Return the pairs of tasks that conflict, those whose cosine is negative, the worst first.

    That is Yu et al. 2020 (gradient surgery), definition 1, by which
    ``agents.diagnostics.measures.conflict_rate`` counts too.
    """
    return sorted((pair for pair in _pairs(cosines) if pair[2] < 0.0), key=lambda pair: pair[2])


def say_how_many(cosines: Table) -> str:
    """Say how many pairs of tasks conflict, of how many of which something is known."""
    return f"{len(conflicting_pairs(cosines))} of {len(_pairs(cosines))}"


def say_of_gradients(whose: str, late: Table, early: Table | None = None) -> list[str]:
    """Say how many pairs of tasks conflict in the gradients of ``whose``, the critic's or the actor's, and which most.

    ``late`` are mean cosines of the second half of training and ``early`` of the first.
    """
    pairs = _pairs(late)
    if not pairs:
        return []
    found = conflicting_pairs(late)
    lowest = min(pairs, key=lambda pair: pair[2])
    count = f"{say_how_many(late)} pairs of tasks" if found else "No pair of tasks"
    verb = "conflict" if len(found) > 1 else "conflicts"
    told = f"the worst: {_named(found)}." if found else f"the lowest mean cosine is that of {_named([lowest])}. {AGREE}"
    said = f"{whose.capitalize()}: {count} {verb} in the second half of training; {told}"
    before = [] if early is None else conflicting_pairs(early)
    gone = [pair for pair in before if pair[:2] not in {other[:2] for other in found}]
    return [said, *([f"In the first half these did, and no longer do: {_named(gone)}."] if gone else [])]


def _named(pairs: Sequence[tuple[str, str, float]]) -> str:
    shown = "; ".join(f"{first} and {second} ({value:.2f})" for first, second, value in pairs[:MAX_NAMED])
    return f"{shown}; and {len(pairs) - MAX_NAMED} more" if len(pairs) > MAX_NAMED else shown


def say_of_attention(attention: Table, information: float) -> str:
    """Say whether attention tells tasks apart; ``information`` is its mutual information with the task, in nats."""
    tasks, encoders = attention.values.shape
    most = math.log(min(tasks, encoders))
    if most <= 0.0:
        return "There is one encoder or one task, so attention has nothing to choose."
    share = information / most
    told = f"{information:.2f} of at most {most:.2f} nats of information about the task"
    if share < BLIND:
        return f"Attention gives every task nearly the same mixture ({told}): the encoders work as one."
    return f"Attention sends tasks to different encoders ({told}, {share:.0%})."


def _pairs(cosines: Table) -> list[tuple[str, str, float]]:
    names = cosines.rows
    return [
        (names[i], names[j], float(cosines.values[i, j]))
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if math.isfinite(cosines.values[i, j])
    ]
