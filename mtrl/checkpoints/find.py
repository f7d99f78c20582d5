"""Interrupted runs: where they are, whether they are over, and what may change when they continue. Free of torch."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

from mtrl.config import TrainConfig
from mtrl.config.options import CHANGES
from mtrl.errors import UsageError
from mtrl.runs.folder import RESULT

FOLDER, LATEST = "checkpoints", "latest"  # of a run, and the file in there that names the newest
NAME = re.compile(r"step(\d{12})")  # of a checkpoint's folder
NEWEST = "latest"
ALSO = ("steps_per_task", "device", "cudagraphs")  # may change, beside whatever makes no other run


def newest_pointer(run: Path) -> Path | None:
    """Return the file that names a run's newest checkpoint, None where it has none."""
    path = run / FOLDER / LATEST
    return path if path.is_file() else None


def newest_step(run: Path) -> int | None:
    """Return the steps per task of a run's newest checkpoint, None where it has none."""
    pointer = newest_pointer(run)
    try:
        named = NAME.fullmatch(pointer.read_text(encoding="utf-8").strip()) if pointer else None
    except (OSError, ValueError):
        return None
    return int(named[1]) if named else None


def run_named(name: str, runs_dir: Path) -> Path:
    """Return the folder that ``--resume`` names, ``latest`` for that of the newest checkpoint in ``runs_dir``.

    Raises ``UsageError`` where there is none.
    """
    if name != NEWEST:
        return Path(name)
    pointers = [path for path in runs_dir.glob(f"**/{FOLDER}/{LATEST}") if path.is_file()]
    if not pointers:
        raise UsageError(f"--resume is {name!r}, and no run in {str(runs_dir)!r} has a checkpoint; name a run's folder")
    return max(pointers, key=lambda path: path.stat().st_mtime_ns).parent.parent


def is_over(path: Path, config: TrainConfig[Any], told: TrainConfig[Any]) -> bool:
    """Say whether a run came to its end and is not asked to go farther."""
    return (path / RESULT).is_file() and config.steps_per_task <= told.steps_per_task


def check_changes(config: TrainConfig[Any], told: TrainConfig[Any]) -> None:
    """Raise ``UsageError`` where a run would go on as another one, naming each setting."""
    mine, theirs = config.to_json(), told.to_json()
    free = {f.name for f in dataclasses.fields(told) if f.metadata[CHANGES] == "nothing"} | {*ALSO}
    fixed = {name: value for name, value in mine.items() if name not in (*free, "settings")}
    wrong = [name for name, value in fixed.items() if value != theirs[name]]
    wrong += [name for name, value in mine["settings"].items() if value != theirs["settings"].get(name)]
    if wrong:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in wrong)
        may = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(free - {"runs_dir"}))
        raise UsageError(f"--resume continues a run; {flags} would make it another; it may change {may}")
