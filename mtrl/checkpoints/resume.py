"""An interrupted run, opened to continue."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from mtrl.checkpoints.find import check_changes
from mtrl.checkpoints.folders import Damaged
from mtrl.checkpoints.store import Checkpoint, CheckpointStore
from mtrl.config import TrainConfig, agent_spec
from mtrl.errors import UsageError
from mtrl.runs.folder import MATRICES, METRICS


class Resumed(NamedTuple):
    """A run to continue: its folder, and the checkpoint to continue from."""

    path: Path
    checkpoint: Checkpoint


def resumed_run(path: Path, config: TrainConfig[Any], told: TrainConfig[Any]) -> Resumed:
    """Return a run to go on with as ``config``; ``told`` is what it was begun with.

    Raises ``UsageError`` where it has no checkpoint, or where something was changed that may not change.
    """
    if not agent_spec(told.agent).in_loop:
        raise UsageError(f"--resume is {str(path)!r}, and agent {told.agent!r} keeps no checkpoints; train it again")
    for name in (METRICS, MATRICES):  # which are written on
        if (path / name).is_symlink():
            raise UsageError(f"--resume is {str(path)!r}, whose {name} is a symbolic link; put the file in its place")
    check_changes(config, told)
    try:
        checkpoint = CheckpointStore(path).latest()
    except Damaged as error:
        raise UsageError(f"--resume is {str(path)!r}, and none of its checkpoints is whole: {error}") from None
    if checkpoint is None:
        raise UsageError(
            f"--resume is {str(path)!r}, which has no checkpoint; train it again (a finished run keeps one with "
            "--keep-checkpoint)"
        )
    return Resumed(path, checkpoint)
