"""Paths as they are given on a command line: those that no system has are refused before anything is looked for."""

from __future__ import annotations

import os
from pathlib import Path

from envs.printable import unprintable

LONGEST, LONGEST_NAME = 4095, 255  # bytes, as on Linux


def path_of(text: str) -> Path:
    """Return the path that ``text`` is. Raises ``ValueError`` for an empty one and for one that cannot be."""
    if not text:
        raise ValueError("the path is empty; . is the current folder")
    if character := unprintable(text):
        raise ValueError(f"{_short(text)} has the character {character!a}, which cannot be shown")
    if len(os.fsencode(text)) > LONGEST:
        raise ValueError(f"{_short(text)} is longer than the {LONGEST} bytes that a path may have")
    for name in Path(text).parts:
        if len(os.fsencode(name)) > LONGEST_NAME:
            raise ValueError(f"{_short(name)} is longer than the {LONGEST_NAME} bytes that a name may have")
    return Path(text)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
