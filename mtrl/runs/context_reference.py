"""The tasks that centre and scale a run's context, where these are not its own: those of the run that it began from.

They are written as data, so that a run is opened without the suite of another.
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
    """Return what ``config.json`` holds of the tasks: name to sentence and parameters."""
    return {task.name: {"sentence": task.description, "parameters": {**task.parameters}} for task in tasks}


def reference_of(facts: Mapping[str, Any], path: Path) -> tuple[Described, ...] | None:
    """Read the tasks back, None where a run's own are its frame.

    Raises ``UsageError``, naming the file in ``path``, for anything else than ``reference_facts`` returns.
    """
    told = facts.get(FRAME)
    if told is None:
        return None
    try:
        frame = tuple(_task(name, said) for name, said in told.items())
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise UsageError(f"{str(path / CONFIG)!r} is damaged ({FRAME}: {error}); train the run again") from None
    if not frame:
        raise UsageError(f"{str(path / CONFIG)!r} is damaged ({FRAME} is empty); train the run again")
    return frame


def reference_of_run(path: Path) -> tuple[Described, ...] | None:
    """Return the frame of a run's context, None where its own tasks are that."""
    return reference_of(read_run(path)[1], path)


def _task(name: str, said: Mapping[str, Any]) -> Description:
    sentence, parameters = said["sentence"], {**said["parameters"]}
    if not isinstance(sentence, str):
        raise TypeError(f"the sentence of {name!r} is {sentence!r}")
    return Description(name, sentence, parameters)
