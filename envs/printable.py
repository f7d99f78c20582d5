"""Text that comes from outside: which characters a name may not have, and how they are shown all the same."""

from __future__ import annotations

import unicodedata

CONTROL = {"Cc", "Cs", "Zl", "Zp"}  # control characters, halves of a surrogate pair, separators of lines
TURNING = {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}  # they turn the text around them


def unprintable(text: str) -> str:
    """Return the first character of ``text`` that moves a terminal, or that no encoding has; empty if there is none."""
    return next((c for c in text if unicodedata.category(c) in CONTROL or c in TURNING), "")


def printable(text: str) -> str:
    r"""Return ``text`` on one line, with what ``unprintable`` finds written as Python does: ``\x1b``."""
    return "".join(ascii(c)[1:-1] if unprintable(c) else c for c in " ".join(text.split()))
