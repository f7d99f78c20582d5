"""Paths given on a command line; those that no system can have are refused early."""

from __future__ import annotations

import os
from pathlib import Path

from envs.printable import unprintable

MAX_BYTES, MAX_NAME_BYTES = 4095, 255  # as on Linux


def path_of(text: str) -> Path:
    """Parse a path. Raises ``ValueError`` for one that is empty or cannot exist."""
    if not text:
        raise ValueError("the path is empty; . is the current folder")
    if character := unprintable(text):
        raise ValueError(f"{_short(text)} has the character {character!a}, which cannot be shown")
    if len(os.fsencode(text)) > MAX_BYTES:
        raise ValueError(f"{_short(text)} is longer than {MAX_BYTES} bytes, the maximum of a path")
    for name in Path(text).parts:
        if len(os.fsencode(name)) > MAX_NAME_BYTES:
            raise ValueError(f"{_short(name)} is longer than {MAX_NAME_BYTES} bytes, the maximum of a name")
    return Path(text)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
