"""Which characters a name may not contain, and how they are shown anyway."""

from __future__ import annotations

import pytest

from envs.printable import printable, unprintable


@pytest.mark.parametrize("text", ["", "push", "tür öffnen", "押す", "🦾", "a b", "x[/y]", "=1+1", "क्‍ष"])
def test_words_of_any_script_are_printable(text: str) -> None:
    assert unprintable(text) == ""
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "first", "shown"),
    [
        ("a\x1b[31mb", "\x1b", r"a\x1b[31mb"),
        ("a\0", "\0", r"a\x00"),
        ("a\x9b1mb", "\x9b", r"a\x9b1mb"),
        ("a\ud800", "\ud800", r"a\ud800"),
        ("a\u202eb", "\u202e", r"a\u202eb"),
        ("a\nb", "\n", "a b"),
        ("a \t b", "\t", "a b"),
        ("a\u2028b", "\u2028", "a b"),
    ],
    ids=ascii,
)
def test_unprintable_characters_are_found_and_escaped(text: str, first: str, shown: str) -> None:
    assert unprintable(text) == first
    assert printable(text) == shown
