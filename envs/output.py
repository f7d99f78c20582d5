"""Output that nobody reads any more, as after ``| head -1``, or that a full disk refuses: no reason to end."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY = (errno.EPIPE, errno.EIO)  # the reader is gone; so is the terminal


class _Lasting(io.FileIO):
    """A stream of the system that takes everything: what it cannot write is dropped, and ``failure`` says why."""

    failure: OSError | None = None

    def write(self, data: object) -> int:
        """Write what can be written -> how much was taken, which is all of it."""
        view = memoryview(data)  # type: ignore[arg-type]
        size = taken = view.nbytes
        try:
            while size:
                size -= super().write(view[-size:])
        except OSError as error:
            if error.errno not in NOBODY:
                self.failure = error
        return taken


@contextmanager
def lasting_output() -> Iterator[list[OSError]]:
    """Have ``print`` and all else that goes to stdout and stderr never raise -> what went wrong, once this is left.

    A reader that is gone is nothing that went wrong.
    """
    failures: list[OSError] = []
    former = {name: getattr(sys, name) for name in ("stdout", "stderr")}
    ours: dict[str, io.TextIOWrapper] = {}
    for number, (name, stream) in enumerate(former.items(), 1):
        if stream is None:  # closed by whoever started this
            ours[name] = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        elif stream is getattr(sys, f"__{name}__"):  # and not what somebody has put in its place
            stream.flush()
            ours[name] = _like(stream, _Lasting(number, "w", closefd=False))
        setattr(sys, name, ours.get(name, stream))
    try:
        yield failures
    finally:
        for name, stream in ours.items():
            setattr(sys, name, former[name])
            raw = getattr(stream.buffer, "raw", stream.buffer)
            stream.close()
            failures += [raw.failure] if isinstance(raw, _Lasting) and raw.failure else []


def _like(stream: io.TextIOWrapper, raw: io.FileIO) -> io.TextIOWrapper:
    """Return a text stream over ``raw`` that writes as another one does, and escapes what its encoding lacks."""
    return io.TextIOWrapper(
        raw if stream.write_through else io.BufferedWriter(raw),  # as Python's own, with -u
        encoding=stream.encoding,
        errors="backslashreplace",  # a name or a path in another script is no reason to end
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
