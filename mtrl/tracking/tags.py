"""Tags of per-task scalars. This module does not import TensorBoard, since readers of logs use it too."""

from __future__ import annotations

GROUP_SUCCESS = "eval/group_success"  # sorts before eval/success_rate in TensorBoard


def task_tag(tag: str, task: str) -> str:
    """Return the tag of one task's scalar: ``tag/<task>``, with slashes in the task's name replaced by dashes.

    ``TaskSuite`` refuses two tasks whose names differ only in that.
    """
    return f"{tag}/{task.replace('/', '-')}"
