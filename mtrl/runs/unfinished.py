"""Unfinished runs: how far their weights were trained, as data and in words."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from agents.registry.compose import outside_names
from envs.errors import warn
from envs.registry import OBJECT_PREFIX
from mtrl.checkpoints.find import newest_pointer, newest_step
from mtrl.config import TrainConfig
from mtrl.runs.folder import RESULT, WEIGHTS
from mtrl.runs.reading import check_regular, read_json
from mtrl.runs.trust import foreign

STEPS = "steps_per_task"  # their key in result.json and in the header of the weights


def stopped_at(run: Path) -> dict[str, Any]:
    """Return ``stopped`` and ``steps_per_task`` (None if not known) of a run that was stopped early.

    The result is empty for a finished run.
    """
    try:
        result = read_json(run / RESULT)
    except (OSError, ValueError):
        return {"stopped": True, STEPS: steps_of_weights(run)}
    return {"stopped": True, STEPS: _count(result.get(STEPS))} if result.get("stopped") else {}


def warn_if_stopped(run: Path, config: TrainConfig[Any]) -> None:
    """Warn on stderr if a run whose policy is used was stopped early, and state how far it was trained."""
    if stopped_at(run):
        warn(f"{str(run)!r} was stopped {how_far(run, config)}")


def how_far(run: Path, config: TrainConfig[Any]) -> str:
    """Describe how far an unfinished run was trained, according to its weights, else its checkpoint."""
    recorded = stopped_at(run).get(STEPS)
    step = newest_step(run) if recorded is None else recorded
    known = "an unknown number" if step is None else f"{step:,}"
    unscored = ", before it was scored" if step == config.steps_per_task else ""
    again = f"; to continue: {resuming(run, config)}" if newest_pointer(run) else ""
    return f"after {known} of {config.steps_per_task:,} steps per task{unscored}{again}"


def resuming(run: Path, config: TrainConfig[Any]) -> str:
    """Return the command that resumes a run, with what allows importing the user's own modules of ``config``."""
    words = ["python", "-m", "mtrl.train", "--resume", str(run)]
    if config.suite.startswith(OBJECT_PREFIX):
        words += ["--suite", "MODULE:SUITE"]
    elif foreign(config.suite):
        words += ["--suite", config.suite]
    if outside_names(config.agent, config.settings):
        words += ["--trust"]
    return shlex.join(words)


def steps_of_weights(run: Path) -> int | None:
    """Return the steps per task that a run's weights were trained for, or None if not recorded or there are none."""
    try:
        check_regular(run / WEIGHTS)
        with safe_open(run / WEIGHTS, framework="numpy") as file:
            return _count((file.metadata() or {}).get(STEPS))
    except (OSError, ValueError, SafetensorError):
        return None


def _count(value: Any) -> int | None:
    """Return a number of steps read from a file, or None for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
