"""Gather finished runs from folders and patterns: find, read, check and group them by agent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

from mtrl.errors import UsageError
from mtrl.gathering.budget import of_one_budget
from mtrl.gathering.comparable import check_comparable, differing_facts
from mtrl.gathering.grouping import Group, group_runs
from mtrl.gathering.run import Run, load_run
from mtrl.runs.folder import CONFIG
from mtrl.terminal.paths import path_of


@dataclass(frozen=True)
class Gathered:
    """Comparable runs: one suite, the same tasks, protocol and steps per task.

    ``groups`` are in the order in which their agents were found; ``warnings`` has lines about runs that were left out,
    and about differences that do not prevent the comparison.
    """

    suite: str
    tasks: tuple[str, ...]
    steps_per_task: int
    protocol: dict[str, Any]
    groups: tuple[Group, ...]
    warnings: tuple[str, ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs, group by group."""
        return tuple(run for group in self.groups for run in group.runs)

    @property
    def common_eval_every(self) -> int | None:
        """Steps between the evaluations that all runs made, or None if they all were evaluated equally often."""
        intervals = {run.config.eval_every for run in self.runs}
        return math.lcm(*intervals) if len(intervals) > 1 else None


def gather(patterns: Iterable[str | Path], steps_per_task: int | None = None) -> Gathered:
    """Find, read, check and group the runs that ``patterns`` name: run folders, folders above them, or globs.

    The runs with ``steps_per_task`` are selected, by default those of the most common budget
    (``budget.of_one_budget``). Unfinished and damaged runs are left out with a warning, as are those of another budget.
    Raises ``UsageError`` for a folder without runs, if no finished run is left, and for runs of different suites, tasks
    or protocols.
    """
    runs: list[Run] = []
    warnings: list[str] = []
    for folder in find_runs(patterns):
        try:
            runs.append(load_run(folder))
        except UsageError as error:
            warnings.append(f"left out: {error}")
    if not runs:
        more = f" ({len(warnings) - 1} more like it)" if len(warnings) > 1 else ""
        raise UsageError(f"none of the given runs is finished: {warnings[0].removeprefix('left out: ')}{more}")
    chosen, others = of_one_budget(runs, steps_per_task)
    # Unless a budget was asked for, a run of another suite or protocol is refused, whatever its own budget.
    check_comparable(runs if steps_per_task is None else chosen)
    groups, duplicates = group_runs(chosen)
    first = chosen[0]
    return Gathered(
        suite=first.result["suite"],
        tasks=first.tasks,
        steps_per_task=first.config.steps_per_task,
        protocol=first.result.get("protocol", {}),
        groups=groups,
        warnings=(*warnings, *others, *duplicates, *differing_facts([run for group in groups for run in group.runs])),
    )


def find_runs(patterns: Iterable[str | Path]) -> list[Path]:
    """Return the run folders that patterns name, each once. Raises ``UsageError`` for a pattern that names none."""
    found: dict[Path, Path] = {}
    files = []
    for pattern in map(str, patterns):
        try:
            path_of(pattern)
        except ValueError as error:
            raise UsageError(f"no run to compare: {error}") from None
        paths = [Path(pattern)] if Path(pattern).exists() else [Path(path) for path in sorted(glob(pattern))]
        if not paths:
            raise UsageError(f"{pattern!r} is neither a run nor a pattern that matches one; try runs/tabletop/*/*")
        for path in paths:
            below = [path] if (path / CONFIG).is_file() else sorted(file.parent for file in path.rglob(CONFIG))
            if not below and not path.is_file():
                raise UsageError(
                    f"{str(path)!r} is not a run and contains none: no {CONFIG} in it or below; "
                    "give a folder such as runs/tabletop/care/seed0"
                )
            if not below:
                files.append(path)  # a pattern also matches files beside the runs, such as compare.csv
            found.update({folder.resolve(): folder for folder in below})
    if not found:
        why = f"{str(files[0])!r} is a file" if files else "none was given"
        raise UsageError(f"no run to compare: {why}; give run folders, such as runs/tabletop/*/*")
    return list(found.values())
