"""The working folder, in which a run's files are found, kept where environments change it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from envs.errors import warn_once


@contextmanager
def kept_working_folder(task_name: str, call: str) -> Iterator[None]:
    """Restore the process's working folder after ``call`` of a task's environment, with a warning once per task."""
    place = _working_folder()
    try:
        yield
    finally:
        other = _working_folder()
        if place is not None and other != place:
            os.chdir(place)
            warn_once(
                f"working folder of {task_name}",
                f"task {task_name!r}: {call}() changed the working folder to {other!r}, which is set back to "
                f"{place!r}, where runs are written; give the environment absolute paths",
            )


def _working_folder() -> str | None:
    """Return the working folder, or None where it was removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None
