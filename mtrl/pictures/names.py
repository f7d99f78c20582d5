"""Names in images: shortened so that different names stay different, and drawn literally."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

ELLIPSIS = "…"
# Fractions of the kept characters taken from the end of a name, tried in turn: names of tasks often differ at the end.
END_FRACTIONS = (0.5, 0.7, 0.3, 0.9, 0.1, 1.0, 0.0)


@contextmanager
def names_as_they_are() -> Iterator[None]:
    """Have matplotlib draw ``$`` literally, not as a formula, without warnings about characters that its font lacks."""
    from matplotlib import rc_context

    with rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        yield


def shortened(names: Sequence[str], most: float, size: Callable[[str], float] = len) -> list[str]:
    """Return names no longer than ``most`` by ``size``, which is the number of characters by default.

    Names that fit are unchanged. Of others the middle, or else another part, is left out, so that different names stay
    different (``window-open`` and ``window-close`` become ``win…pen`` and ``win…ose``); if that is not possible, each
    is prefixed with a number.
    """
    different = len(set(names))
    for end in END_FRACTIONS:
        short = [_without_a_part(name, most, size, end) for name in names]
        if len(set(short)) == different:
            return short
    numbers = {name: f"{k}" for k, name in enumerate(dict.fromkeys(names), 1)}
    rest = [_without_a_part(name, most - size(f"{numbers[name]} "), size, 0.0) for name in names]
    return [f"{numbers[name]} {part}".rstrip() for name, part in zip(names, rest, strict=True)]


def _without_a_part(name: str, most: float, size: Callable[[str], float], end: float) -> str:
    """Leave out as little of a name as possible to make it fit; ``end`` is the fraction kept from its end."""
    if size(name) <= most:
        return name
    for kept in range(len(name) - 1, 0, -1):
        last = round(end * kept)
        short = f"{name[: kept - last]}{ELLIPSIS}{name[len(name) - last :]}"
        if size(short) <= most:
            return short
    return ""
