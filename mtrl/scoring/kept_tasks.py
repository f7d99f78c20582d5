"""Add the tasks that were played to those that a run's file already has, unless these were played differently."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from envs.errors import warn
from mtrl.config import TrainConfig
from mtrl.errors import UsageError
from mtrl.policies.parts import TaskPart
from mtrl.runs.checksums import check_file
from mtrl.runs.reading import read_json
from mtrl.scoring.final import protocol_of
from mtrl.scoring.score_table import means_of

Values = dict[str, Any]
COLUMNS = ("tasks", "episodes", "whole", "without")  # of an ablation: one entry per task each


def with_kept_scores(file: Path, new: Values, part: TaskPart, config: TrainConfig[Any]) -> Values:
    """Return an evaluation with the scores in ``file`` of tasks that it lacks, if seed, weights and protocol agree.

    If they do not, a warning names the tasks whose scores are replaced.
    """

    def protocol(tasks: Mapping[str, Any], names: Sequence[str]) -> Values:
        return protocol_of(config, part.whole.only(names), [tasks[name]["episodes"] for name in names])

    def join(old: Values, names: Sequence[str]) -> Values | None:
        before = [name for name in names if name in old["tasks"]]
        if _differ(old, new, ("tasks", "mean", "protocol")) or old["protocol"] != protocol(old["tasks"], before):
            return None
        every = {**old["tasks"], **new["tasks"]}
        tasks = {name: every[name] for name in names}
        return {**new, "mean": means_of([*tasks.values()]), "tasks": tasks, "protocol": protocol(tasks, names)}

    return _joined(file, new, part, join)


def with_kept_rows(file: Path, new: Values, part: TaskPart) -> Values:
    """Return an ablation with the rows in ``file`` of tasks that it lacks, likewise."""

    def join(old: Values, names: Sequence[str]) -> Values | None:
        if _differ(old, new, COLUMNS):
            return None
        rows = {row[0]: row for own in (old, new) for row in zip(*(own[name] for name in COLUMNS), strict=True)}
        columns = zip(*(rows[name] for name in names), strict=True)
        return {**new, **{name: [*values] for name, values in zip(COLUMNS, columns, strict=True)}}

    return _joined(file, new, part, join)


def _differ(old: Values, new: Values, ignored: Sequence[str]) -> bool:
    return any(old.get(name) != new.get(name) for name in {*old, *new} - {*ignored})


def _joined(file: Path, new: Values, part: TaskPart, join: Callable[[Values, Sequence[str]], Values | None]) -> Values:
    """Return ``new``, joined with the other tasks of ``file``, in the suite's order; warn if they are replaced."""
    try:
        check_file(file)
        old = {} if file.is_symlink() else read_json(file)
    except (UsageError, OSError, ValueError):
        return new
    tasks = old.get("tasks")
    others = [name for name in map(str, tasks) if name not in new["tasks"]] if isinstance(tasks, dict | list) else []
    if not others:
        return new
    names = [name for name in part.whole.task_names if name in new["tasks"] or name in others]
    try:
        joined = join(old, names) if {*others} <= {*names} else None
    except (KeyError, TypeError, AttributeError, ValueError):  # it is damaged
        joined = None
    if joined is None:
        warn(f"{str(file)!r} had results of {', '.join(others)}, played differently; they are replaced")
    return joined or new
