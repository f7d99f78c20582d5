"""The files of a run's folder, read as what they are: data that anybody may have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_json(file: Path) -> dict[str, Any]:
    """Return the JSON object that a file holds.

    Raises ``FileNotFoundError`` or ``NotADirectoryError`` where there is none, another ``OSError`` where it cannot be
    read, and ``ValueError`` where it holds something else.
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
    """Raise ``ValueError`` for what is there and no file, such as a pipe, which would be waited for without end."""
    if file.exists() and not file.is_file():
        raise ValueError("it is not a regular file")


def _refuse(constant: str) -> Any:
    raise ValueError(f"it holds {constant}, which JSON has no word for")
