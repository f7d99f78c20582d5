"""Compare finished runs, agent against agent and task by task: ``python -m mtrl.compare runs/tabletop``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from agents.registry.facts import setting
from mtrl.config.train_config import MAX_STEPS
from mtrl.terminal.cli import command, parse


@dataclass(frozen=True)
class CompareConfig:
    """Compare finished runs of a suite, print tables and write compare.json and compare.csv.

    Runs of the same agent with the same settings are grouped over their seeds. compare.csv has a row per run and task;
    compare.json has everything in the tables, and the learning curves.
    """

    runs: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Run folders, parent folders of runs, or glob patterns such as runs/tabletop/*/*."""
    out: Path | None = None
    """Folder for compare.json and compare.csv; by default, the common parent folder of the runs."""
    baseline: str | None = None
    """Baseline that the other agents are compared with; by default, single-task if it is among the runs."""
    steps_per_task: int | None = setting(None, ge=1, le=MAX_STEPS)
    """Use the runs with this many steps per task; by default, the most common number."""


def main(arguments: Sequence[str]) -> int:
    """Parse, gather, compare, print and write."""
    options: CompareConfig = parse(CompareConfig, "mtrl.compare", arguments)

    from mtrl.comparison.output import compare_and_show
    from mtrl.gathering.gather import gather
    from mtrl.terminal.console import plain_console

    console = plain_console()
    compare_and_show(gather(options.runs, options.steps_per_task), console, options.out, options.baseline)
    return 0


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
