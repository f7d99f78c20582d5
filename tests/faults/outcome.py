"""What a part of the measurement came to."""

from __future__ import annotations

from typing import NamedTuple


class Counted(NamedTuple):
    """How many of so many trials went as they must, and a line for each that did not."""

    passed: int
    total: int
    failures: list[str]

    @property
    def good(self) -> bool:
        return self.passed == self.total

    def __str__(self) -> str:
        return f"{self.passed} of {self.total}"


class Measured(NamedTuple):
    """A figure in words, and whether it is what it must be."""

    words: str
    good: bool
    failures: list[str]

    def __str__(self) -> str:
        return self.words


def counted(said: list[str]) -> Counted:
    """Return the outcome of trials that each said what went wrong, empty where nothing did."""
    failures = [f"trial {k}: {words}" for k, words in enumerate(said) if words]
    return Counted(len(said) - len(failures), len(said), failures)
