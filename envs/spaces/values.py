"""Values that an environment returned, as numbers and, for messages, in words."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_numbers(values: Any, kinds: str = "fiu") -> np.ndarray | None:
    """Return values as float32, infinite where they are too large for it; None if they are not plain numbers.

    ``kinds`` has the letters of the NumPy dtypes that count as numbers.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # ragged
        return None
    if array.dtype.kind not in kinds:
        return None
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def short(value: Any) -> str:
    """Return a value on one line of at most 80 characters."""
    return " ".join(repr(value).split())[:80]


def kind(value: Any) -> str:
    """Return an array's dtype, or the type of another value, in words."""
    return f"dtype {value.dtype}" if isinstance(value, np.ndarray) else f"type {type(value).__name__}"
