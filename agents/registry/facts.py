"""Metadata of a setting, given at its field: its range, and whether it is shown first. Free of torch."""

from __future__ import annotations

import math
from dataclasses import Field, dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
FACTS = "facts"  # their key in a field's metadata


@dataclass(frozen=True)
class Facts:
    """The metadata of a field that ``setting`` made; see there."""

    least: float | None = None
    above: float | None = None
    most: float | None = None
    unit: str = ""
    some: bool = False
    shown: bool = False

    @property
    def has_range(self) -> bool:
        """Whether it has a range."""
        return (self.least, self.above, self.most) != (None, None, None)

    def fault(self, value: Any) -> str:
        """Return what is wrong with a value, as ``it has to be ...``, or an empty string. None is always valid."""
        if value is None or not self.has_range:
            return ""
        if isinstance(value, tuple):
            return "" if (value or not self.some) and all(map(self._holds, value)) else f"give {self._many()}"
        if not isinstance(value, int | float):
            return "it has to be a number"
        return "" if self._holds(value) else f"it has to be {self._one(value)}"

    def _holds(self, value: Any) -> bool:
        return (
            isinstance(value, int | float)
            and (isinstance(value, int) or math.isfinite(value))
            and (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
        )

    def _one(self, value: float) -> str:
        number = f"a number of {self.unit}" if self.unit else "a number"
        if self.above is not None:
            return (
                f"{number} above {self.above}" if self.most is None else f"above {self.above} and at most {self.most}"
            )
        if self.least is None or (self.most is not None and value > self.most):
            return f"at most {self.most}"
        return f"{number} of at least {self.least}" if isinstance(value, float) else f"at least {self.least}"

    def _many(self) -> str:
        low = f"above {self.above}" if self.least is None else f"of at least {self.least}"
        return f"{self.unit or 'numbers'} {low}" + ("" if self.most is None else f" and at most {self.most}")


def setting(
    default: T,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    unit: str = "",
    some: bool = False,
    shown: bool = False,
) -> T:
    """Return a dataclass field for a setting, with a default and a range that is checked before training.

    Args:
        default: The default. For a tuple the range applies to each of its numbers.
        least: Inclusive lower bound.
        above: Exclusive lower bound.
        most: Inclusive upper bound. With any bound, numbers have to be finite.
        unit: What error messages call the numbers.
        some: Whether a tuple has to be non-empty.
        shown: Whether TensorBoard's table of runs shows it from the start.

    Returns:
        The field.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Boost:
        ...     boost: float = mtrl.setting(1.0, above=0)
        >>> Boost().boost
        1.0
    """
    facts = Facts(least, above, most, unit, some, shown)
    return field(default=default, metadata={FACTS: facts})


def facts_of(of: Field[Any]) -> Facts:
    """Return the metadata of a field; empty if it was not made with ``setting``."""
    return of.metadata.get(FACTS, Facts())
