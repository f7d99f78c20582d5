"""Whole numbers on the command line: as people write them, and one line for what is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mtrl import evaluate, train
from mtrl.config.arguments import parse_config
from mtrl.terminal.numbers import whole_number


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("-3", -3), ("1e5", 100_000), ("100_000", 100_000), ("2.5e3", 2500), ("4.0", 4)]
)
def test_a_whole_number_is_read_however_it_is_written(text: str, number: int) -> None:
    assert whole_number(text) == number
    assert isinstance(whole_number(text), int)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1.5", "'1.5' is not a whole number"),
        ("1e-3", "'1e-3' is not a whole number"),
        ("inf", "'inf' is not a whole number"),
        ("nan", "'nan' is not a whole number"),
        ("", "'' is not a number"),
        ("1e999999999", "more than 30 digits"),
    ],
)
def test_what_is_no_whole_number_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        whole_number(text)


def test_every_option_that_is_a_whole_number_takes_1e5() -> None:
    given = ["--steps-per-task", "1e5", "--workers", "1e0", "--hidden", "1_0", "2e1", "--replay-per-task", "1e4"]
    config = parse_config(given)
    assert (config.steps_per_task, config.workers, config.settings.hidden) == (100_000, 1, (10, 20))
    assert config.replay_per_task == 10_000


def test_half_a_step_is_refused_in_one_line(refused: Callable[..., str]) -> None:
    said = refused(train.main, "--steps-per-task", "1.5")
    assert "--steps-per-task: '1.5' is not a whole number. It takes INT" in said
    assert "'2.5' is not a whole number" in refused(evaluate.main, "nowhere", "--episodes", "2.5")
