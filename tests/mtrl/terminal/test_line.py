"""A message on one line that can be read: its beginning and its end are kept."""

from __future__ import annotations

from mtrl.terminal.line import MAX_LENGTH, as_line


def test_a_short_message_is_kept_and_put_on_one_line() -> None:
    assert as_line("--seed is -1;\n  it must be at least 0") == "--seed is -1; it must be at least 0"
    assert as_line("x" * MAX_LENGTH) == "x" * MAX_LENGTH


def test_a_long_word_loses_its_middle_before_anything_else_does() -> None:
    line = as_line(f"suite '{'x' * 1000}' is not there; python -m mtrl.list shows all")
    assert line.startswith("suite 'xxx")
    assert "xxx...xxx" in line
    assert line.endswith("xxx' is not there; python -m mtrl.list shows all")
    assert len(line) < MAX_LENGTH
    assert len(line) > 150


def test_a_message_of_many_words_keeps_its_beginning_and_its_end() -> None:
    line = as_line(f"unknown task 'x'; known: {', '.join(map(str, range(1000)))}. Did you mean '7'?")
    assert line.startswith("unknown task 'x'; known: 0, 1, 2")
    assert line.endswith("998, 999. Did you mean '7'?")
    assert len(line) == MAX_LENGTH


def test_escapes_of_a_terminal_are_written_out() -> None:
    assert as_line("task 'a\x1b[2Jb'") == r"task 'a\x1b[2Jb'"
