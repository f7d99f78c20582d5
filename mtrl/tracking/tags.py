"""Tags of scalars that are there for each task. Free of TensorBoard, for those who read them back."""

from __future__ import annotations

GROUP_SUCCESS = "eval/group_success"  # before eval/success_rate, by which TensorBoard sorts


def task_tag(tag: str, task: str) -> str:
    """Return the tag of one task's scalar: ``tag/<task>``, a slash in the task's name turned into a dash.

    ``TaskSuite`` has no two tasks whose names differ in that alone.
    """
    return f"{tag}/{task.replace('/', '-')}"
