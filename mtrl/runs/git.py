"""The git commit of the kit's files or a user's, and whether they differ from it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any


def commit_of(path: Path) -> dict[str, Any] | None:
    """Return the commit of a file's or folder's checkout and whether it differs from it; None outside a checkout."""
    folder = path if path.is_dir() else path.parent
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_git(folder, "status", "--porcelain", "--", str(path)))}
    except (OSError, subprocess.SubprocessError):
        return None


def is_top_level(folder: Path) -> bool:
    """Return whether a folder is the top level of a checkout."""
    try:
        return Path(_git(folder, "rev-parse", "--show-toplevel")).resolve() == folder
    except (OSError, subprocess.SubprocessError):
        return False


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    ).stdout.strip()
