"""Read ``result.json`` of a run's folder; it is refused unless it has everything that a finished run writes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envs.printable import unprintable
from mtrl.runs.folder import RESULT
from mtrl.runs.reading import read_json

NUMBERS = ("seed", "env_steps", "updates", "wall_seconds", "parameters")
OPTIONAL_NUMBERS = ("cpu_seconds",)  # missing in older runs and on systems that do not report them
SCORES = ("success_any", "success_last", "return")
BEFORE = "before"  # the key of the scores before anything is learned, in config.json and in result.json
RANDOM = tuple(f"random_{score}" for score in SCORES)


def read_result(run: Path) -> dict[str, Any]:
    """Return a run's result.

    Raises ``FileNotFoundError`` if it has none, another ``OSError`` if it cannot be read, and ``ValueError``, naming
    the entry, if an entry is missing or invalid.
    """
    result = read_json(run / RESULT)
    for name in (*NUMBERS, *(own for own in OPTIONAL_NUMBERS if own in result)):
        _check_number(result, name)
    for name in ("suite", "agent"):
        _check_name(name, result.get(name))
    tasks = result.get("tasks")
    if not isinstance(tasks, dict) or not tasks:
        raise ValueError("it has no tasks")
    if not isinstance(result.get(BEFORE, {}), dict) or not isinstance(scores_before(result), dict):
        raise ValueError(f"{BEFORE} is {result[BEFORE]!r}, which has no table of tasks")
    for task, scores in [*tasks.items(), *scores_before(result).items()]:
        _check_name("a task", task)
        if not isinstance(scores, dict):
            raise ValueError(f"the scores of {task!r} are {scores!r}")
        _check_scores(scores)
    if not isinstance(result.get("protocol", {}), dict):
        raise ValueError(f"protocol is {result['protocol']!r}, which is not a table")
    if not isinstance(result.get("protocol", {}).get("versions", {}), dict):
        raise ValueError(f"the protocol's versions are {result['protocol']['versions']!r}")
    return result


def scores_before(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return each task's scores before training, of a run that started from another; else an empty table."""
    scores: dict[str, dict[str, Any]] = result.get(BEFORE, {}).get("tasks", {})
    return scores


def _check_scores(scores: Mapping[str, Any]) -> None:
    _check_number(scores, "return")
    for name in SCORES[:2]:
        if name not in scores:
            raise ValueError(f"it has no {name!r}")
    for name in (*SCORES[:2], *RANDOM):
        if scores.get(name) is not None:
            _check_number(scores, name)
    if not isinstance(scores.get("range") or "", str):
        raise ValueError(f"range is {scores['range']!r}")


def _check_number(values: Mapping[str, Any], name: str) -> None:
    if name not in values:
        raise ValueError(f"it has no {name!r}")
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}, not a number")


def _check_name(what: str, name: Any) -> None:
    if not isinstance(name, str) or not name.strip() or unprintable(name):
        raise ValueError(f"{what} is named {name!r}")
