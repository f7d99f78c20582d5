"""Paths that no system has are refused as they are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mtrl import compare, evaluate, train
from mtrl.terminal.paths import path_of

WRONG = [("", "the path is empty"), ("a\x1b[1m", r"the character '\x1b'"), ("a/" * 2500, "4095"), ("a" * 256, "255")]


def test_paths_that_may_be_are_taken() -> None:
    for text in (".", "runs/tabletop", "ein Ordner/ü", "a" * 255):
        assert path_of(text) == Path(text)


@pytest.mark.parametrize(("text", "words"), WRONG, ids=["empty", "escape", "long", "long name"])
def test_paths_that_cannot_be_are_named_by_every_command(refused: Callable[..., str], text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("\\", r"\\")):
        path_of(text)
    for main, *before in (
        (train.main, "--runs-dir"),
        (train.main, "--config"),
        (train.main, "--resume"),
        (evaluate.main,),
        (compare.main,),
    ):
        line = refused(main, *before, text)
        assert words in line
        assert len(line) < 300
