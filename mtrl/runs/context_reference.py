"""The tasks that centre and scale a run's context if these are not its own: those of the run that it started from.

They are stored as data, so that a run can be opened without the other run's suite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envs.context import Described, Description
from mtrl.errors import UsageError
from mtrl.runs.folder import CONFIG, read_run

FRAME = "context_frame"  # its key in config.json


def reference_facts(tasks: Sequence[Described]) -> dict[str, Any]:
    """Return the entry of ``config.json`` for the tasks: sentence and parameters by name."""
    return {task.name: {"sentence": task.description, "parameters": {**task.parameters}} for task in tasks}


def reference_of(facts: Mapping[str, Any], path: Path) -> tuple[Described, ...] | None:
    """Return the reference tasks, or None if they are the run's own.

    Raises ``UsageError``, naming the file in ``path``, for anything that ``reference_facts`` does not return.
    """
    values = facts.get(FRAME)
    if values is None:
        return None
    try:
        reference = tuple(_task(name, entry) for name, entry in values.items())
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise UsageError(f"{str(path / CONFIG)!r} is damaged ({FRAME}: {error}); train the run again") from None
    if not reference:
        raise UsageError(f"{str(path / CONFIG)!r} is damaged ({FRAME} is empty); train the run again")
    return reference


def reference_of_run(path: Path) -> tuple[Described, ...] | None:
    """Return the reference tasks of a run's context, or None if they are its own."""
    return reference_of(read_run(path)[1], path)


def _task(name: str, entry: Mapping[str, Any]) -> Description:
    sentence, parameters = entry["sentence"], {**entry["parameters"]}
    if not isinstance(sentence, str):
        raise TypeError(f"the sentence of {name!r} is {sentence!r}")
    return Description(name, sentence, parameters)
