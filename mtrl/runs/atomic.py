"""Files that are either complete or absent: written to a temporary file, which is renamed once it is on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".partial"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file to write, in the folder of ``path``; it replaces ``path`` when the block ends.

    A symbolic link at ``path`` is replaced, not followed. The file has the permissions of any new file. Raises
    ``OSError`` if writing fails; then ``path`` is unchanged.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        partial.unlink(missing_ok=True)  # an existing file is not written to
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            mode = os.fstat(handle).st_mode
        finally:
            os.close(handle)
        yield partial
        partial.chmod(mode & 0o777)  # safetensors and others create the file themselves
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file completely or not at all. Raises ``OSError`` if that fails."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def sync(path: Path) -> None:
    """Flush a file's bytes, or a folder's entries, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
