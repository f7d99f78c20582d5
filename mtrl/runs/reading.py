"""Read files of a run's folder as untrusted data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_json(file: Path) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises ``FileNotFoundError`` or ``NotADirectoryError`` if it is missing, another ``OSError`` if it cannot be read,
    and ``ValueError`` if it contains anything else.
    """
    check_regular(file)
    try:
        values = json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("its values are nested too deeply") from None
    if not isinstance(values, dict):
        raise ValueError("it is not a JSON object")
    return values


def check_regular(file: Path) -> None:
    """Raise ``ValueError`` for a path that is not a regular file, such as a pipe, which would block forever."""
    if file.exists() and not file.is_file():
        raise ValueError("it is not a regular file")


def _refuse(constant: str) -> Any:
    raise ValueError(f"it contains {constant}, which is not valid JSON")
