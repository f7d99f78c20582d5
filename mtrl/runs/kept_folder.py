"""Watch a run's folder during training, and create it again if it is removed, emptied or moved."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from envs.errors import warn
from mtrl.checkpoints.lock import holder, take
from mtrl.errors import RunError
from mtrl.runs.folder import CONFIG, MATRICES, METRICS


class FolderTaken(RunError):
    """A run's folder was removed, and another run now trains in a folder of that name."""


class KeptFolder:
    """A callback that keeps a run's folder in place; ``describe`` writes the run's configuration into a new one."""

    def __init__(self, path: Path, describe: Callable[[], None]) -> None:
        self._path, self._describe = path, describe
        self._own = os.stat(path)

    def __call__(self, now: object = None) -> None:
        """Create the folder again if it is gone or replaced. Raises ``FolderTaken`` if another run now uses it.

        The run's log writes its files again by itself.
        """
        if self._in_place():
            return
        other = holder(self._path)
        if other is not None:
            raise FolderTaken(f"{str(self._path)!r} was removed, and process {other} now trains another run there")
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self._own = os.stat(self._path)
            for name in (METRICS, MATRICES):  # possibly those of a copy of the folder: the log writes them again
                (self._path / name).unlink(missing_ok=True)
            take(self._path)
            self._describe()
        except (OSError, RunError) as error:
            warn(f"{str(self._path)!r} was removed and cannot be created again ({error}); training continues")
        else:
            warn(f"{str(self._path)!r} was removed during training; it is created again")

    def _in_place(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), self._own) and (self._path / CONFIG).is_file()
        except OSError:  # it or a folder above it is gone
            return False
