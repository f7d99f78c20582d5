"""The line that is shown while a run goes: 60 columns, which success is meant, and a time left that is learning's."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from mtrl.terminal import live_line
from mtrl.terminal.live_line import Display

MEANS = {"success_any": 0.625, "success_last": 0.4, "return": -305.25}


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(live_line.time, "monotonic", one)
    return one


def plain(clock: Clock, name: str = "care", total: int = 10_000) -> tuple[Display, io.StringIO]:
    out = io.StringIO()
    return Display(Console(file=out, width=80, soft_wrap=True), name, total), out


def test_time_left_does_not_count_random_steps_as_learning(clock: Clock) -> None:
    """1,000 random steps in a second, then 1,000 that are learned from in 20: 8,000 more take 160, not 84."""
    shown, out = plain(clock)
    clock.now += 1
    shown.update(1000, 10_000, 0)
    clock.now += 20
    shown.update(2000, 20_000, 1000)
    assert out.getvalue() == "care 20% 3m left 500 steps/s\n"


def test_random_actions_are_said_to_be_such_and_promise_nothing(clock: Clock) -> None:
    shown, out = plain(clock)
    clock.now += 11
    shown.update(1000, 10_000, 0)
    assert out.getvalue() == "care 10% random actions\n"


def test_a_finished_run_says_how_long_it_took(clock: Clock) -> None:
    shown, out = plain(clock)
    shown.update(1000, 10_000, 0)
    clock.now += 7200
    shown.update(10_000, 100_000, 9000)
    assert out.getvalue() == "care 100% in 2.0h 12.5 steps/s\n"


@pytest.mark.parametrize(
    ("means", "line"),
    [
        (MEANS, "care 10% 99s left 909 steps/s success any .62 last .40"),
        (
            {**MEANS, "success_any": 1.0, "success_last": 1.0},
            "care 10% 99s left 909 steps/s success any 1.00 last 1.00",
        ),
        ({**MEANS, "success_any": 0.05, "success_last": 0.0}, "care 10% 99s left success any .05 last .00 return -305"),
        ({"success_any": None, "success_last": None, "return": -305.25}, "care 10% 99s left 909 steps/s return -305"),
        ({"success_any": None, "success_last": None, "return": -6e38}, "care 10% 99s left 909 steps/s return -6e+38"),
    ],
)
def test_it_says_which_success_is_meant_and_the_return_where_that_is_rare_or_absent(
    clock: Clock, means: dict[str, float | None], line: str
) -> None:
    shown, out = plain(clock)
    shown.evaluated(means)
    clock.now += 11
    shown.update(1000, 10_000, 100)
    assert out.getvalue() == f"{line}\n"


@pytest.mark.parametrize("name", ["care", "mtmhsac", "single-task"])
@pytest.mark.parametrize("solved", [None, 0.09, 1.0])
@pytest.mark.parametrize("step", [1_000, 1_900_000, 2_000_000])
def test_no_line_is_longer_than_60_columns_nor_loses_the_time_left_or_the_scores(
    clock: Clock, name: str, solved: float | None, step: int
) -> None:
    shown, out = plain(clock, name, 2_000_000)
    shown.evaluated({"success_any": solved, "success_last": solved, "return": -12345.6})
    clock.now += 20_000
    shown.update(step, 50 * step, step)
    (line,) = out.getvalue().splitlines()
    assert len(line) <= 60
    assert " left " in line or " in 5.6h" in line
    assert line.endswith("return -12k" if solved != 1.0 else "last 1.00")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_on_a_terminal_the_line_is_whole_and_a_bar_is_drawn_where_there_is_room(clock: Clock, width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system=None, _environ={"TERM": "xterm"})
    with Display(console, "single-task", 10_000) as shown:
        shown.evaluated({**MEANS, "success_any": 0.05, "success_last": 0.0})
        clock.now += 20
        shown.update(5000, 50_000, 1000)
    lines = re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", out.getvalue()).replace("\r", "\n").splitlines()
    last = [line for line in lines if line.strip()][-1]
    assert "single-task" in last
    assert "20s left" in last
    assert "success any .05 last .00 return -305" in last
    assert ("━" in last) == (width > 60)
    assert len(last.rstrip()) <= width
