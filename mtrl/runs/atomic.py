"""Files that are whole or not there: written beside their place, and moved there when they are on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".partial"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the file to write in ``path``'s stead, in its folder; it takes ``path``'s place when the block ends.

    A symbolic link there is replaced, not followed. The file may be read by whom other new files may. Raises
    ``OSError`` where the disk does not take it; then ``path`` is as it was.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        partial.unlink(missing_ok=True)  # whatever it is, it is not written to
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            mode = os.fstat(handle).st_mode
        finally:
            os.close(handle)
        yield partial
        partial.chmod(mode & 0o777)  # safetensors and others make a file of their own
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all. Raises ``OSError`` where the disk does not take it."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def sync(path: Path) -> None:
    """Have a file's bytes, or a folder's entries, written to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
