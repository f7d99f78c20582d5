"""Compare finished runs, agent against agent and task by task: ``python -m mtrl.compare runs/tabletop``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mtrl.cli import command, parse


@dataclass(frozen=True)
class CompareConfig:
    """Compare finished runs of a suite, print tables and write compare.json and compare.csv.

    Runs of the same agent with the same settings are taken together, whatever their seeds. compare.csv has a row for
    each run and task, compare.json everything that the tables show and the learning curves.
    """

    runs: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Run folders, folders above them, or patterns, such as runs/tabletop/*/*."""
    out: Path | None = None
    """Folder for compare.json and compare.csv; unless given, the one that holds all the runs."""
    baseline: str | None = None
    """Whose runs say what a task comes to alone; unless given, single-task's, if there are any."""
    steps_per_task: int | None = None
    """Take the runs of so many steps per task; unless given, of the number that most runs have."""


def main(arguments: Sequence[str]) -> int:
    """Parse, gather, compare, print and write."""
    options: CompareConfig = parse(CompareConfig, "mtrl.compare", arguments)

    from rich.console import Console

    from mtrl.comparison.files import compare_and_show
    from mtrl.comparison.gather import gather

    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    compare_and_show(gather(options.runs, options.steps_per_task), console, options.out, options.baseline)
    return 0


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
