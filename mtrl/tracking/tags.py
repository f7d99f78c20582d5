"""Under which tag a number of one task is logged, and looked for again."""

from __future__ import annotations


def task_tag(tag: str, name: str) -> str:
    """Return ``tag/<task>``, a slash in the task's name turned into a dash."""
    return f"{tag}/{name.replace('/', '-')}"
