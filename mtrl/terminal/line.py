"""A message as one line of a terminal: nothing in it moves the cursor, and it is no longer than can be read."""

from __future__ import annotations

from envs.printable import printable

LONGEST = 290  # letters, with which a line that begins with "error: " stays below 300
WORDS = (150, 120, 90, 60)  # letters that are left of each word of a line that is too long: as many as will do
CUT = "..."


def as_line(text: str, most: int = LONGEST) -> str:
    """Return ``text`` on one line of at most ``most`` letters: of longer ones, words lose their middles, then the line.

    How it begins and how it ends is kept: what is wrong, and the way out.
    """
    line = printable(text)
    if len(line) <= most:
        return line
    for letters in WORDS:
        short = " ".join(_without_middle(word, letters) for word in line.split(" "))
        if len(short) <= most:
            return short
    return _without_middle(short, most)


def _without_middle(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    left = most - len(CUT)
    return text[: left - left // 2] + CUT + text[-(left // 2) :]
