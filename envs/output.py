"""Output that survives a reader that is gone, as after ``| head -1``, and a full disk."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

READER_GONE = (errno.EPIPE, errno.EIO)  # from a closed pipe; from a closed terminal


class _LastingStream(io.FileIO):
    """A standard stream that never raises: what it cannot write is dropped, and ``failure`` is the error."""

    failure: OSError | None = None

    def write(self, data: object) -> int:
        """Write what can be written; return the size of all of it."""
        view = memoryview(data)  # type: ignore[arg-type]
        total = left = view.nbytes
        try:
            while left:
                left -= super().write(view[-left:])
        except OSError as error:
            if error.errno not in READER_GONE:
                self.failure = error
        return total


@contextmanager
def lasting_output() -> Iterator[list[OSError]]:
    """Keep writes to stdout and stderr from raising; yield a list that gets the errors at the end of the block.

    A reader that is gone is not an error.
    """
    failures: list[OSError] = []
    former = {name: getattr(sys, name) for name in ("stdout", "stderr")}
    ours: dict[str, io.TextIOWrapper] = {}
    for number, (name, stream) in enumerate(former.items(), 1):
        if stream is None:  # closed by the parent process
            ours[name] = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        elif stream is getattr(sys, f"__{name}__"):  # not a replacement, such as pytest's
            stream.flush()
            ours[name] = _like(stream, _LastingStream(number, "w", closefd=False))
        setattr(sys, name, ours.get(name, stream))
    try:
        yield failures
    finally:
        for name, stream in ours.items():
            setattr(sys, name, former[name])
            raw = getattr(stream.buffer, "raw", stream.buffer)
            stream.close()
            failures += [raw.failure] if isinstance(raw, _LastingStream) and raw.failure else []


def _like(stream: io.TextIOWrapper, raw: io.FileIO) -> io.TextIOWrapper:
    """Return a text stream over ``raw`` with the settings of ``stream``, which escapes what its encoding lacks."""
    return io.TextIOWrapper(
        raw if stream.write_through else io.BufferedWriter(raw),  # as Python does with -u
        encoding=stream.encoding,
        errors="backslashreplace",  # a name or path in another script must not raise
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
