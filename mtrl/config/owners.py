"""Which pieces have a flag that the chosen pieces lack."""

from __future__ import annotations

import dataclasses

from agents.registry.compose import SLOTS
from agents.registry.pieces import PIECES


def owners_in_words(name: str) -> str:
    """Return a sentence naming the built-in pieces that have a setting; empty if none has it."""
    for slot, kind in SLOTS.items():
        names = [spec.name for spec in PIECES[kind].values() if spec.settings and name in _fields(spec.settings)]
        if names:
            *others, last = names
            return f"It comes with --{slot} {', '.join(others) + ' or ' if others else ''}{last}."
    return ""


def _fields(settings: type) -> set[str]:
    return {field.name for field in dataclasses.fields(settings)}
