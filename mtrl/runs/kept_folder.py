"""A run's folder while the run goes: where somebody removes it, empties it or moves it away, it is made anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from envs.errors import warn
from mtrl.checkpoints.lock import holder, take
from mtrl.errors import RunError
from mtrl.runs.folder import CONFIG, MATRICES, METRICS


class FolderTaken(RunError):
    """A run's folder was removed, and another run trains in one of that name."""


class KeptFolder:
    """A callback that looks after a run's folder; ``describe`` writes what the run was told into a new one."""

    def __init__(self, path: Path, describe: Callable[[], None]) -> None:
        self._path, self._describe = path, describe
        self._own = os.stat(path)

    def __call__(self, now: object = None) -> None:
        """Make the folder anew where it is none or another one. Raises ``FolderTaken`` where another run has it now.

        The run's log writes itself again.
        """
        if self._in_place():
            return
        other = holder(self._path)
        if other is not None:
            raise FolderTaken(f"{str(self._path)!r} was removed, and process {other} trains another run there now")
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self._own = os.stat(self._path)
            for name in (METRICS, MATRICES):  # as in a copy of the folder: the log has all of it
                (self._path / name).unlink(missing_ok=True)
            take(self._path)
            self._describe()
        except (OSError, RunError) as error:
            warn(f"{str(self._path)!r} was removed and cannot be made anew ({error}); training goes on")
        else:
            warn(f"{str(self._path)!r} was removed while its run is trained; it is made anew")

    def _in_place(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), self._own) and (self._path / CONFIG).is_file()
        except OSError:  # it is gone, or the way to it
            return False
