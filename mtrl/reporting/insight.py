"""What a run's diagnostics say: tables kept during training, read back, averaged over seeds and put into words."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtrl.runs import MATRICES

CONFLICT = -0.1  # tasks whose gradients' mean cosine lies below are said to conflict
BLIND = 0.05  # share of what attention could tell of the task, below which it tells nothing


@dataclass(frozen=True)
class Table:
    """Numbers (R, C) with the names of their rows and columns; NaN where nothing is known."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray

    @property
    def lines(self) -> list[tuple[str, list[float | None]]]:
        """Each row's name and its numbers, None where nothing is known."""
        return [
            (name, [float(v) if math.isfinite(v) else None for v in line])
            for name, line in zip(self.rows, self.values, strict=True)
        ]


def read_tables(run: Path) -> dict[str, list[tuple[int, Table]]]:
    """Return a run's tables by name, each with its number of steps per task, in the order of writing.

    A line that is cut short or damaged is left out, with a warning: everything else of the run still counts.
    """
    tables: dict[str, list[tuple[int, Table]]] = {}
    path = run / MATRICES
    if not path.is_file():
        return tables
    damaged = 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
            values = np.array(entry["values"], dtype=np.float64)
            rows, columns = tuple(map(str, entry["rows"])), tuple(map(str, entry["columns"]))
            if values.shape != (len(rows), len(columns)):
                raise ValueError("its names do not fit its numbers")
            tables.setdefault(str(entry["name"]), []).append((int(entry["step"]), Table(rows, columns, values)))
        except (ValueError, KeyError, TypeError):
            damaged += 1
    if damaged:
        sys.stderr.write(f"warning: {damaged} lines of {str(path)!r} are damaged and left out\n")
    return tables


def later_half(entries: Sequence[tuple[int, Table]]) -> Table:
    """Return the mean over the tables of a run's second half, by steps, where a cell is known."""
    last = entries[-1][0]
    return mean_table([table for step, table in entries if 2 * step >= last])


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
    """Return pairs of tasks whose cosine lies below ``CONFLICT``, the worst first."""
    pairs = _pairs(cosines)
    return sorted((pair for pair in pairs if pair[2] < CONFLICT), key=lambda pair: pair[2])


def say_of_gradients(cosines: Table) -> str:
    """Say which tasks pull the shared parameters apart."""
    pairs = _pairs(cosines)
    if not pairs:
        return ""
    share = sum(value < 0 for *_, value in pairs) / len(pairs)
    found = conflicting_pairs(cosines)
    if not found:
        first, second, least = min(pairs, key=lambda pair: pair[2])
        return (
            "No pair of tasks pulls the shared parameters apart: the lowest mean cosine of two tasks' gradients in the "
            f"second half of training is {least:.2f} ({first} and {second}); {share:.0%} of the pairs lie below 0."
        )
    named = "; ".join(f"{first} and {second} ({value:.2f})" for first, second, value in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return (
        f"In conflict, by the mean cosine of their gradients on the shared parameters in the second half of training: "
        f"{named}{more}. {share:.0%} of all pairs lie below 0."
    )


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


def information_of(attention: Table) -> float:
    """Return the mutual information between task and encoder, in nats, every task as frequent as any other.

    For weights p(k | t), (T, K), it is the mean over tasks of sum_k p(k | t) log(p(k | t) / p(k)).
    """
    weights = attention.values
    load = weights.mean(axis=0, keepdims=True)
    ratio = np.where(weights > 0, weights / np.maximum(load, 1e-300), 1.0)
    return float((weights * np.log(ratio)).sum(axis=1).mean())


def _pairs(cosines: Table) -> list[tuple[str, str, float]]:
    names = cosines.rows
    return [
        (names[i], names[j], float(cosines.values[i, j]))
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if math.isfinite(cosines.values[i, j])
    ]
