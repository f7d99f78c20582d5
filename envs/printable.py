"""Text from outside: which characters a name may not contain, and how to show them anyway."""

from __future__ import annotations

import unicodedata

CONTROL_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}  # control characters, surrogates, line and paragraph separators
BIDI_CONTROLS = {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}  # they change the direction of text


def unprintable(text: str) -> str:
    """Return the first character of ``text`` that controls a terminal or cannot be encoded; empty if there is none."""
    return next((c for c in text if unicodedata.category(c) in CONTROL_CATEGORIES or c in BIDI_CONTROLS), "")


def printable(text: str) -> str:
    r"""Return ``text`` on one line, with unprintable characters escaped as in Python: ``\x1b``."""
    return "".join(ascii(c)[1:-1] if unprintable(c) else c for c in " ".join(text.split()))
