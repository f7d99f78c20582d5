"""What commands say in one line rather than with a traceback."""

from __future__ import annotations


class UsageError(ValueError):
    """Something the user gave cannot be used; the message is one line and names the way out."""


class RunError(RuntimeError):
    """A run cannot go on; the message is one line, and what was written before stays."""
