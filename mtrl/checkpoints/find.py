"""Find interrupted runs, check whether one is finished and which settings may change. This module needs no torch."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

from mtrl.config import TrainConfig
from mtrl.config.options import CHANGES
from mtrl.errors import UsageError
from mtrl.runs.folder import RESULT
from mtrl.runs.origin import same_suite

CHECKPOINTS, POINTER = "checkpoints", "latest"  # a run's folder of checkpoints, and its file that names the newest
CHECKPOINT_NAME = re.compile(r"step(\d{12})")
LATEST_RUN = "latest"  # as the value of --resume
CHANGEABLE = ("steps_per_task", "device", "cudagraphs")  # in addition to the settings that do not make another run


def newest_pointer(run: Path) -> Path | None:
    """Return the file that names a run's newest checkpoint, or None."""
    path = run / CHECKPOINTS / POINTER
    return path if path.is_file() else None


def newest_step(run: Path) -> int | None:
    """Return the steps per task of a run's newest checkpoint, or None."""
    pointer = newest_pointer(run)
    try:
        named = CHECKPOINT_NAME.fullmatch(pointer.read_text(encoding="utf-8").strip()) if pointer else None
    except (OSError, ValueError):
        return None
    return int(named[1]) if named else None


def run_named(name: str, runs_dir: Path) -> Path:
    """Return the run folder that ``--resume`` names; ``latest`` is the one with the newest checkpoint in ``runs_dir``.

    Raises ``UsageError`` if no run has a checkpoint.
    """
    if name != LATEST_RUN:
        return Path(name)
    pointers = [path for path in runs_dir.glob(f"**/{CHECKPOINTS}/{POINTER}") if path.is_file()]
    if not pointers:
        raise UsageError(f"--resume is {name!r}, and no run in {str(runs_dir)!r} has a checkpoint; name a run's folder")
    return max(pointers, key=lambda path: path.stat().st_mtime_ns).parent.parent


def is_over(path: Path, config: TrainConfig[Any], original: TrainConfig[Any]) -> bool:
    """Return whether a run is finished and ``config`` does not ask for more steps than its ``original`` one."""
    return (path / RESULT).is_file() and config.steps_per_task <= original.steps_per_task


def check_changes(config: TrainConfig[Any], original: TrainConfig[Any]) -> None:
    """Raise ``UsageError``, naming each setting, if a run would continue with settings that may not change."""
    mine, theirs = config.to_json(), original.to_json()
    free = {f.name for f in dataclasses.fields(original) if f.metadata[CHANGES] == "nothing"} | {*CHANGEABLE}
    fixed = {name: value for name, value in mine.items() if name not in (*free, "settings")}
    wrong = [name for name, value in fixed.items() if value != theirs[name]]
    wrong = [name for name in wrong if name != "suite" or not same_suite(original.suite, config.suite)]
    wrong += [name for name, value in mine["settings"].items() if value != theirs["settings"].get(name)]
    if wrong:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in wrong)
        may = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(free - {"runs_dir"}))
        raise UsageError(f"--resume continues a run; {flags} would make it another; it may change {may}")
