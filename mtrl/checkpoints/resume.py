"""Open an interrupted run to continue it."""

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


def resumed_run(path: Path, config: TrainConfig[Any], original: TrainConfig[Any]) -> Resumed:
    """Return a run to continue with ``config``; it was started with ``original``.

    Raises ``UsageError`` if it has no checkpoint, or if a setting differs that may not change.
    """
    if not agent_spec(original.agent).in_loop:
        raise UsageError(f"--resume is {str(path)!r}, but agent {original.agent!r} has no checkpoints; train it again")
    for name in (METRICS, MATRICES):  # which are appended to
        if (path / name).is_symlink():
            raise UsageError(f"--resume is {str(path)!r}, whose {name} is a symbolic link; put the file in its place")
    check_changes(config, original)
    try:
        checkpoint = CheckpointStore(path).latest()
    except Damaged as error:
        raise UsageError(f"--resume is {str(path)!r}, and none of its checkpoints is complete: {error}") from None
    if checkpoint is None:
        raise UsageError(
            f"--resume is {str(path)!r}, which has no checkpoint; train it again (a finished run keeps one with "
            "--keep-checkpoint)"
        )
    return Resumed(path, checkpoint)
