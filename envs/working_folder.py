"""Keeps the working folder, where a run's files are, when environments change it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from envs.errors import warn_once


@contextmanager
def kept_working_folder(task_name: str, call: str) -> Iterator[None]:
    """Restore the process's working folder after ``call`` of a task's environment, with a warning once per task."""
    folder = _working_folder()
    try:
        yield
    finally:
        changed = _working_folder()
        if folder is not None and changed != folder:
            os.chdir(folder)
            warn_once(
                f"working folder of {task_name}",
                f"task {task_name!r}: {call}() changed the working folder to {changed!r}; it was set back to "
                f"{folder!r}, where runs are written; give the environment absolute paths",
            )


def _working_folder() -> str | None:
    """Return the working folder, or None if it was removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None
