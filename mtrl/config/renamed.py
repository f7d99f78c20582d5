"""Settings that were renamed, so that runs of earlier versions can still be read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

PRESENT_NAMES = {"critics": "critic_reduction"}


def present_names(values: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """Return an agent's settings by the names that ``kind``, the dataclass they belong to, has now."""
    known = {field.name for field in dataclasses.fields(kind)}
    return {_present_name(name, known): value for name, value in values.items()}


def _present_name(name: str, known: set[str]) -> str:
    new = PRESENT_NAMES.get(name, name)
    return new if name not in known and new in known else name
