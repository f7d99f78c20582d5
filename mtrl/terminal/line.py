"""A message as one line of a terminal, without control characters and not too long to read."""

from __future__ import annotations

from envs.printable import printable

MAX_LENGTH = 290  # characters, so that a line that begins with "error: " stays below 300
MAX_WORD_LENGTHS = (150, 120, 90, 60)  # tried in turn for the words of a line that is too long
CUT = "..."


def as_line(text: str, most: int = MAX_LENGTH) -> str:
    """Return ``text`` on one line of at most ``most`` characters, cutting the middles of words, then of the line.

    The beginning and the end are kept: the error and the way out.
    """
    line = printable(text)
    if len(line) <= most:
        return line
    for length in MAX_WORD_LENGTHS:
        short = " ".join(_without_middle(word, length) for word in line.split(" "))
        if len(short) <= most:
            return short
    return _without_middle(short, most)


def _without_middle(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    left = most - len(CUT)
    return text[: left - left // 2] + CUT + text[-(left // 2) :]
