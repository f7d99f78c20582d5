"""Names in pictures: shortened so that those which differ stay different, and drawn as they are."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

ELLIPSIS = "…"
# How much of what is kept stands at the end: names of tasks begin alike, and what sets them apart comes last.
ENDS = (0.5, 0.7, 0.3, 0.9, 0.1, 1.0, 0.0)


@contextmanager
def names_as_they_are() -> Iterator[None]:
    """Have matplotlib draw a ``$`` as it is, not as a formula, and say nothing of letters that its font lacks."""
    from matplotlib import rc_context

    with rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        yield


def shortened(names: Sequence[str], most: float, size: Callable[[str], float] = len) -> list[str]:
    """Return names no longer than ``most``, by ``size``: in letters, unless it measures something else.

    What fits is kept as it is. Of the others the middle is left out, else another part, so that different names stay
    different (``window-open`` and ``window-close`` become ``win…pen`` and ``win…ose``); where no part will do, a number
    goes before each.
    """
    different = len(set(names))
    for end in ENDS:
        short = [_without_a_part(name, most, size, end) for name in names]
        if len(set(short)) == different:
            return short
    places = {name: f"{k}" for k, name in enumerate(dict.fromkeys(names), 1)}
    rest = [_without_a_part(name, most - size(f"{places[name]} "), size, 0.0) for name in names]
    return [f"{places[name]} {part}".rstrip() for name, part in zip(names, rest, strict=True)]


def _without_a_part(name: str, most: float, size: Callable[[str], float], end: float) -> str:
    """Leave out as little of a name as lets it fit, ``end`` of what is kept being its end."""
    if size(name) <= most:
        return name
    for kept in range(len(name) - 1, 0, -1):
        last = round(end * kept)
        short = f"{name[: kept - last]}{ELLIPSIS}{name[len(name) - last :]}"
        if size(short) <= most:
            return short
    return ""
