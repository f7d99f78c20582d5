"""Errors that commands report in one line rather than with a traceback."""

from __future__ import annotations


class UsageError(ValueError):
    """Invalid user input; the message is one line and names a way out."""


class RunError(RuntimeError):
    """A run cannot continue; the message is one line, and files written so far are kept."""


def os_reason(error: OSError) -> str:
    """Return the system's description of an error, without its number and file, such as ``No space left on device``."""
    return str(error.strerror or error)
