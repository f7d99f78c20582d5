"""Open an interrupted run to continue it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from envs.errors import warn
from envs.suite import TaskSuite
from mtrl.checkpoints.find import check_changes
from mtrl.checkpoints.folders import Damaged
from mtrl.checkpoints.store import Checkpoint, CheckpointStore
from mtrl.config import TrainConfig, agent_spec
from mtrl.errors import UsageError
from mtrl.runs.folder import MATRICES, METRICS, read_run
from mtrl.runs.origin import has_changed


class Resumed(NamedTuple):
    """A run to continue: its folder, and the checkpoint to continue from."""

    path: Path
    checkpoint: Checkpoint


def check_same_suite(path: Path, config: TrainConfig[Any], suite: TaskSuite) -> None:
    """Raise ``UsageError`` if a run would continue on other tasks than before, and warn if the suite's file changed."""
    facts = read_run(path)[1]
    sentences = facts.get("task_sentences") or dict(zip(suite.task_names, suite.descriptions, strict=True))
    if (*sentences,) != suite.task_names:
        raise UsageError(
            f"--resume is {str(path)!r}, trained on the tasks {', '.join(sentences)}, but suite {suite.name!r} now "
            f"has {', '.join(suite.task_names)}; restore the suite, or train a new run"
        )
    changed = [task.name for task in suite.tasks if sentences[task.name] != task.description]
    if changed:
        raise UsageError(
            f"--resume is {str(path)!r}, and the sentences of {', '.join(changed)} have changed since; restore them, "
            "or train a new run"
        )
    if has_changed(config.suite, facts):
        warn(f"the file of suite {config.suite!r} has changed since {str(path)!r} started; its new version is used")


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
