"""Whole numbers as people write them on a command line: 100000, 100_000, 1e5."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

MAX_DIGITS = 30


def whole_number(text: str) -> int:
    """Return the number that ``text`` is. Raises ``ValueError`` where it is none, or not a whole one."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if number.is_finite() and number.adjusted() >= MAX_DIGITS:  # 1e999999999 would fill the memory
        raise ValueError(f"{text!r} has more than {MAX_DIGITS} digits")
    if not number.is_finite() or number != int(number):
        raise ValueError(f"{text!r} is not a whole number")
    return int(number)


def whole_numbers() -> ConstructorRegistry:
    """Return what, entered, makes tyro read every option that is an ``int`` so."""
    from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec

    registry = ConstructorRegistry()

    @registry.primitive_rule
    def rule(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[int] | None:
        if info.type is not int:
            return None
        return PrimitiveConstructorSpec(
            nargs=1,
            metavar="INT",
            instance_from_str=lambda words: whole_number(words[0]),
            is_instance=lambda value: isinstance(value, int) and not isinstance(value, bool),
            str_from_instance=lambda value: [str(value)],
        )

    return registry
