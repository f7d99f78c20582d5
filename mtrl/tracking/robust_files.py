"""Files that a run writes while it trains; a full disk or a removed folder does not end the run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary
from torch.utils.tensorboard.writer import SummaryWriter

from envs.errors import warn
from mtrl.errors import os_reason


class WarnOnce:
    """Warns once that something cannot be written."""

    def __init__(self) -> None:
        self._warned = False

    def __call__(self, path: Path, error: OSError) -> None:
        """Warn about ``path``, unless there was a warning before."""
        if not self._warned:
            self._warned = True
            warn(
                f"{path} cannot be written ({os_reason(error)}); training continues, and lines missing from the run's "
                "csv and jsonl files are added once they can be written"
            )


class LineFile:
    """A file that text is appended to; what cannot be written is kept and tried again at the next ``flush``.

    If it was removed or moved, it is created again with all of its content, unless its path exists again by then.
    """

    def __init__(self, path: Path, size: int, on_error: Callable[[Path, OSError], None]) -> None:
        """Open the file, and truncate it to ``size`` bytes."""
        self._path, self._on_error, self._pending = path, on_error, b""
        self._handle = self._opened(0)
        os.truncate(self._handle, size)

    def write(self, text: str) -> None:
        """Append a text, which the next ``flush`` writes."""
        self._pending += text.encode()

    def flush(self) -> bool:
        """Write what is pending, and return whether that succeeded."""
        try:
            if not self._in_place():
                self._create_again()
            while self._pending:
                self._pending = self._pending[os.write(self._handle, self._pending) :]
        except OSError as error:
            self._on_error(self._path, error)
            return False
        return True

    def size(self) -> int:
        """Return the size of the file in bytes after writing all added text. Raises ``OSError`` if that fails."""
        if not self.flush():
            raise OSError(f"{self._path} lacks lines that cannot be written")
        return os.fstat(self._handle).st_size

    def close(self) -> None:
        """Flush and close the file."""
        self.flush()
        os.close(self._handle)

    def _opened(self, flags: int) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | flags, 0o666)

    def _in_place(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._handle))
        except FileNotFoundError:
            return False

    def _create_again(self) -> None:
        """Create another file with the bytes of this one, which the system keeps while it is open."""
        before = os.pread(self._handle, os.fstat(self._handle).st_size, 0)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = self._opened(os.O_EXCL)  # an existing file may be another run's
        os.close(self._handle)
        self._handle, self._pending = handle, before + self._pending


class SafeWriter:
    """TensorBoard's ``SummaryWriter`` without its exceptions: once it cannot write, nothing more is written.

    If its folder was removed, it starts another file.
    """

    def __init__(self, path: Path, purge_step: int | None, on_error: Callable[[Path, OSError], None]) -> None:
        self._path, self._on_error = path, on_error
        self._writer: SummaryWriter | None = None
        try:
            self._writer = SummaryWriter(str(path), purge_step=purge_step)
        except OSError as error:
            on_error(path, error)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return a method of ``SummaryWriter``."""

        def call(*arguments: Any, **options: Any) -> None:
            self._attempt(lambda writer: getattr(writer, name)(*arguments, **options))

        return call

    def summary(self, summary: Summary, step: int) -> None:
        """Write a summary for which ``SummaryWriter`` has no method into the run's events file."""
        self._attempt(lambda writer: writer._get_file_writer().add_summary(summary, step))

    def _attempt(self, write: Callable[[Any], object]) -> None:
        if self._writer is None:
            return
        try:
            try:
                write(self._writer)
            except FileNotFoundError:
                self._writer = SummaryWriter(str(self._path))
                write(self._writer)
        except OSError as error:
            self._writer = None
            self._on_error(self._path, error)
