"""Whole numbers as people write them on a command line: 100000, 100_000, 1e5."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

MAX_DIGITS = 30


def whole_number(text: str) -> int:
    """Parse a whole number. Raises ``ValueError`` for anything else."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if number.is_finite() and number.adjusted() >= MAX_DIGITS:  # 1e999999999 would fill the memory
        raise ValueError(f"{text!r} has more than {MAX_DIGITS} digits")
    if not number.is_finite() or number != int(number):
        raise ValueError(f"{text!r} is not a whole number")
    return int(number)
