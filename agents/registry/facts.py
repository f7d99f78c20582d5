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

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    unit: str = ""
    non_empty: bool = False
    in_table: bool = False

    @property
    def has_range(self) -> bool:
        """Whether it has a range."""
        return (self.ge, self.gt, self.le) != (None, None, None)

    def fault(self, value: Any) -> str:
        """Return what is wrong with a value, as ``it must be ...``, or an empty string. None is always valid."""
        if value is None or not self.has_range:
            return ""
        if isinstance(value, tuple):
            return "" if (value or not self.non_empty) and all(map(self._holds, value)) else f"give {self._many()}"
        if not isinstance(value, int | float):
            return "it must be a number"
        return "" if self._holds(value) else f"it must be {self._one(value)}"

    def _holds(self, value: Any) -> bool:
        return (
            isinstance(value, int | float)
            and (isinstance(value, int) or math.isfinite(value))
            and (self.ge is None or value >= self.ge)
            and (self.gt is None or value > self.gt)
            and (self.le is None or value <= self.le)
        )

    def _one(self, value: float) -> str:
        number = f"a number of {self.unit}" if self.unit else "a number"
        if self.gt is not None:
            return f"{number} above {self.gt}" if self.le is None else f"above {self.gt} and at most {self.le}"
        if self.ge is None or (self.le is not None and value > self.le):
            return f"at most {self.le}"
        return f"{number} of at least {self.ge}" if isinstance(value, float) else f"at least {self.ge}"

    def _many(self) -> str:
        low = f"above {self.gt}" if self.ge is None else f"of at least {self.ge}"
        return f"{self.unit or 'numbers'} {low}" + ("" if self.le is None else f" and at most {self.le}")


def setting(
    default: T,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    unit: str = "",
    non_empty: bool = False,
    in_table: bool = False,
) -> T:
    """Return a dataclass field for a setting, with a default and a range that is checked before training.

    Args:
        default: The default. For a tuple the range applies to each of its numbers.
        ge: Inclusive lower bound.
        gt: Exclusive lower bound.
        le: Inclusive upper bound. With any bound, numbers must be finite.
        unit: What error messages call the numbers.
        non_empty: Whether a tuple must not be empty.
        in_table: Whether TensorBoard's table of runs shows it by default.

    Returns:
        The field.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Boost:
        ...     boost: float = mtrl.setting(1.0, gt=0)
        >>> Boost().boost
        1.0
    """
    facts = Facts(ge, gt, le, unit, non_empty, in_table)
    return field(default=default, metadata={FACTS: facts})


def facts_of(of: Field[Any]) -> Facts:
    """Return the metadata of a field; empty if it was not made with ``setting``."""
    return of.metadata.get(FACTS, Facts())
