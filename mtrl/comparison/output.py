"""A comparison shown and written: the tables, ``compare.json`` and ``compare.csv``."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from mtrl.comparison.compare import compare
from mtrl.comparison.outcomes import Comparison, Row
from mtrl.comparison.tables import legend, tables_of
from mtrl.errors import UsageError
from mtrl.gathering.gather import Gathered
from mtrl.runs.atomic import replacing, write_text

JSON, CSV = "compare.json", "compare.csv"
COMPUTED = ("=", "+", "-", "@")  # what formulas begin with


def compare_and_show(
    gathered: Gathered, console: Console, out: Path | None = None, baseline: str | None = None
) -> Comparison:
    """Compare gathered runs, print the tables, write the files into ``out`` (None: the folder that holds all runs).

    Raises ``UsageError`` before anything is computed where ``out`` cannot be written.
    """
    folder = writable(common_folder(gathered) if out is None else out)
    comparison = compare(gathered, baseline)
    for warning in comparison.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    for table in tables_of(comparison):
        console.print(table)
    if words := legend(comparison):
        console.print(words, markup=False)
    for note in comparison.notes:
        console.print(f"note: {note}", markup=False)
    write(comparison, folder)
    console.print(f"written: {folder / JSON} and {folder / CSV}", markup=False)
    return comparison


def common_folder(gathered: Gathered) -> Path:
    """Return the folder that holds all the runs: one agent's, or the suite's."""
    return Path(os.path.commonpath([run.path.absolute().parent for run in gathered.runs]))


def writable(folder: Path, flag: str = "--out") -> Path:
    """Make a folder if need be and return it. Raises ``UsageError`` where the files cannot be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        for name in (JSON, CSV):
            if (folder / name).exists():
                (folder / name).open("a").close()
    except OSError as error:
        raise UsageError(
            f"{flag} {str(folder)!r} cannot be written ({error.strerror or error}); give a writable folder, "
            f"as in {flag} /tmp/comparison"
        ) from None
    return folder


def write(comparison: Comparison, folder: Path) -> None:
    """Write ``compare.json``, and ``compare.csv`` with the fields of ``outcomes.Row``: a row per run and task."""
    write_text(folder / JSON, json.dumps(comparison.to_json(), indent=2, allow_nan=False) + "\n")
    with replacing(folder / CSV) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in dataclasses.fields(Row)])
        writer.writerows([as_cell(value) for value in dataclasses.astuple(row)] for row in comparison.rows)


def as_cell(value: Any) -> Any:
    """Return what stands for a value in a table that spreadsheets open: text that they would compute is quoted.

    The apostrophe is OWASP's remedy against "CSV injection"; spreadsheets do not show it.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(COMPUTED) else value
