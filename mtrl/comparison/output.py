"""Print a comparison's tables, and write ``compare.json`` and ``compare.csv``."""

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
from mtrl.comparison.outcomes import Comparison, RunTaskRow
from mtrl.comparison.tables import legend, tables_of
from mtrl.errors import UsageError, os_reason
from mtrl.gathering.gather import Gathered
from mtrl.runs.atomic import replacing, write_text

JSON, CSV = "compare.json", "compare.csv"
FORMULA_PREFIXES = ("=", "+", "-", "@")


def compare_and_show(
    gathered: Gathered, console: Console, out: Path | None = None, baseline: str | None = None
) -> Comparison:
    """Compare gathered runs, print the tables, and write the files into ``out`` (default: the folder of all runs).

    Raises ``UsageError`` before anything is computed if ``out`` cannot be written.
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
    """Return the folder that contains all the runs: one agent's, or the suite's."""
    return Path(os.path.commonpath([run.path.absolute().parent for run in gathered.runs]))


def writable(folder: Path, flag: str = "--out") -> Path:
    """Create a folder if necessary, and return it. Raises ``UsageError`` if the files cannot be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        for name in (JSON, CSV):
            if (folder / name).exists():
                (folder / name).open("a").close()
    except OSError as error:
        raise UsageError(
            f"{flag} {str(folder)!r} cannot be written ({os_reason(error)}); give a writable folder, "
            f"as in {flag} /tmp/comparison"
        ) from None
    return folder


def write(comparison: Comparison, folder: Path) -> None:
    """Write ``compare.json``, and ``compare.csv`` with the fields of ``RunTaskRow``: a row per run and task."""
    write_text(folder / JSON, json.dumps(comparison.to_json(), indent=2, allow_nan=False) + "\n")
    with replacing(folder / CSV) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in dataclasses.fields(RunTaskRow)])
        writer.writerows([as_cell(value) for value in dataclasses.astuple(row)] for row in comparison.rows)


def as_cell(value: Any) -> Any:
    """Return a value as written to a CSV file: text that spreadsheets would take for a formula is quoted.

    The apostrophe is OWASP's remedy against "CSV injection"; spreadsheets do not show it.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_PREFIXES) else value
