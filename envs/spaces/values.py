"""What came out of an environment: as numbers where it is numbers, and in words for a message."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_numbers(values: Any) -> np.ndarray | None:
    """Return numbers as float32, what is too large for it as infinite; None where they are no plain numbers."""
    try:
        array = np.asarray(values)
    except ValueError:  # ragged
        return None
    if array.dtype.kind not in "fiu":
        return None
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def short(value: Any) -> str:
    """Return a value on one line of at most 80 characters."""
    return " ".join(repr(value).split())[:80]


def kind(value: Any) -> str:
    """Return what a value is: an array's dtype, or a type."""
    return f"dtype {value.dtype}" if isinstance(value, np.ndarray) else f"type {type(value).__name__}"
