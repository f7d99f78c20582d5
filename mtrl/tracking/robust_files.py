"""What a run writes as it goes, and what becomes of it where the disk is full or its folder is gone: it goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary
from torch.utils.tensorboard.writer import SummaryWriter

from envs.errors import warn


class Complaint:
    """Says once that something cannot be written."""

    def __init__(self) -> None:
        self._said = False

    def __call__(self, path: Path, error: OSError) -> None:
        """Say it of ``path``, unless something was said before."""
        if not self._said:
            self._said = True
            warn(
                f"{path} cannot be written ({error.strerror or error}); training goes on, and what the run's csv and "
                "jsonl files lack is added once they can be written"
            )


class LineFile:
    """A file that text is added to; what it does not take is kept, and tried again at the next ``flush``.

    Where it was removed, or moved away, it is made anew with all that was in it, unless something is there by then.
    """

    def __init__(self, path: Path, size: int, complain: Callable[[Path, OSError], None]) -> None:
        """Open the file, and cut it to ``size`` bytes."""
        self._path, self._complain, self._kept = path, complain, b""
        self._handle = self._opened(0)
        os.truncate(self._handle, size)

    def write(self, text: str) -> None:
        """Add a text, which is written by the next ``flush``."""
        self._kept += text.encode()

    def flush(self) -> bool:
        """Write what there is to be written -> whether it is."""
        try:
            if not self._in_place():
                self._make_anew()
            while self._kept:
                self._kept = self._kept[os.write(self._handle, self._kept) :]
        except OSError as error:
            self._complain(self._path, error)
            return False
        return True

    def size(self) -> int:
        """Return how many bytes the file has with all that was added. Raises ``OSError`` where some are missing."""
        if not self.flush():
            raise OSError(f"{self._path} lacks lines that cannot be written")
        return os.fstat(self._handle).st_size

    def close(self) -> None:
        """Flush and close the file."""
        self.flush()
        os.close(self._handle)

    def _opened(self, how: int) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | how, 0o666)

    def _in_place(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._handle))
        except FileNotFoundError:
            return False

    def _make_anew(self) -> None:
        """Begin another file with the bytes of this one, which the system keeps as long as it is open."""
        before = os.pread(self._handle, os.fstat(self._handle).st_size, 0)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = self._opened(os.O_EXCL)  # what is there may be another run's
        os.close(self._handle)
        self._handle, self._kept = handle, before + self._kept


class SafeWriter:
    """TensorBoard's ``SummaryWriter``, without its exceptions: where it cannot write, it is left out from then on.

    Where its folder was removed it begins another file.
    """

    def __init__(self, path: Path, purge_step: int | None, complain: Callable[[Path, OSError], None]) -> None:
        self._path, self._complain = path, complain
        self._writer: SummaryWriter | None = None
        try:
            self._writer = SummaryWriter(str(path), purge_step=purge_step)
        except OSError as error:
            complain(path, error)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return a method of ``SummaryWriter``."""

        def call(*given: Any, **options: Any) -> None:
            self._attempt(lambda writer: getattr(writer, name)(*given, **options))

        return call

    def summary(self, summary: Summary, step: int) -> None:
        """Write what ``SummaryWriter`` has no call for, into the run's one events file."""
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
            self._complain(self._path, error)
