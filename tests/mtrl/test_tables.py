"""The table at the end of a run: one row per task, success where it is known, else returns, and the difference."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from mtrl.tables import comparison_table, normalised_returns


def result(
    agent: str, success: dict[str, float | None], returns: dict[str, float], episodes: int = 4
) -> dict[str, Any]:
    """What a run of ``agent`` came to."""
    known = [value for value in success.values() if value is not None]
    tasks = {
        name: {"success_any": success[name], "success_last": None, "return": returns[name], "episodes": episodes}
        for name in success
    }
    mean = {"success_any": sum(known) / len(known) if known else None, "success_last": None}
    mean["return"] = sum(returns.values()) / len(returns)
    return {"suite": "s", "agent": agent, "seed": 3, "mean": mean, "tasks": tasks}


def cells(*results: dict[str, Any]) -> dict[str, list[str]]:
    """Task -> the table's cells."""
    out = io.StringIO()
    Console(file=out, width=120).print(comparison_table(results))
    rows = [line.strip("│").split("│") for line in out.getvalue().splitlines() if line.startswith("│")]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}


def test_difference_is_the_agent_minus_its_baseline() -> None:
    care = result("care", {"a": 1.0, "b": 0.25}, {"a": 0.0, "b": 0.0})
    alone = result("single-task", {"a": 0.5, "b": 0.75}, {"a": 0.0, "b": 0.0})
    assert cells(care, alone) == {
        "a": ["1.00", "0.50", "+0.50"],
        "b": ["0.25", "0.75", "-0.50"],
        "mean": ["0.62", "0.62", "+0.00"],
    }


def test_a_suite_without_success_is_compared_by_return_and_one_result_has_no_difference() -> None:
    silent = {"a": None, "b": None}
    one, other = result("care", silent, {"a": -10.0, "b": 4.0}), result("sb3", silent, {"a": -12.5, "b": 4.0})
    assert cells(one, other)["a"] == ["-10.0", "-12.5", "+2.5"]
    assert cells(one) == {"a": ["-10.0"], "b": ["4.0"], "mean": ["-3.0"]}


def test_a_task_that_does_not_say_success_is_shown_by_its_return_among_those_that_do() -> None:
    some = result("care", {"a": 1.0, "b": None}, {"a": 0.0, "b": 7.5})
    assert cells(some, some)["b (return)"] == ["7.5", "7.5", "+0.0"]
    assert cells(some, some)["mean"] == ["1.00", "1.00", "+0.00"]


def test_a_tasks_name_in_brackets_is_shown_as_it_is() -> None:
    assert "[red]a" in cells(result("care", {"[red]a": 1.0}, {"[red]a": 0.0}))


def chanced(agent: str, returns: dict[str, float], chance: dict[str, float]) -> dict[str, Any]:
    """What a run on tasks without success came to, and what random actions do."""
    one = result(agent, dict.fromkeys(returns), returns)
    for name, value in chance.items():
        one["tasks"][name]["random_return"] = value
    return one


CHANCE = {"a": -1000.0, "b": 10.0, "c": 5.0}
SHARED = chanced("care", {"a": -400.0, "b": 0.0, "c": 9.0}, CHANCE)
ALONE = {"a": -200.0, "b": 20.0, "c": 5.0}


def test_returns_are_normalised_by_random_actions_and_the_task_alone() -> None:
    """a: 600 of 800; b: 10 below random where alone is 10 above; c: alone no better than random."""
    for baseline in ("single-task", "sb3"):
        other = chanced(baseline, ALONE, CHANCE)
        assert normalised_returns([SHARED, other]) == {"a": 0.75, "b": -1.0, "c": None}
        assert cells(SHARED, other) == {
            "a": ["-400.0", "-200.0", "-200.0", "0.75"],
            "b": ["0.0", "20.0", "-20.0", "-1.00"],
            "c": ["9.0", "5.0", "+4.0", "-"],
            "mean": ["-130.3", "-58.3", "-72.0", "-0.12"],
        }


def test_a_baseline_worse_than_random_actions_normalises_nothing() -> None:
    assert normalised_returns([SHARED, chanced("sb3", {"a": -1001.0, "b": 9.0, "c": 4.0}, CHANCE)]) == dict.fromkeys(
        "abc"
    )


def test_nothing_is_normalised_without_a_single_task_baseline() -> None:
    assert normalised_returns([SHARED]) == {}
    assert normalised_returns([SHARED, chanced("mtsac", ALONE, CHANCE)]) == {}
    assert len(cells(SHARED, chanced("mtsac", ALONE, CHANCE))["a"]) == 3


def test_success_is_not_normalised_beside_returns_that_are() -> None:
    care, alone = (result(name, {"a": 1.0, "b": None}, {"a": 3.0, "b": 7.0}) for name in ("care", "single-task"))
    care["tasks"]["a"]["random_return"], care["tasks"]["b"]["random_return"] = None, 5.0
    assert cells(care, alone) == {
        "a": ["1.00", "1.00", "+0.00", "-"],
        "b (return)": ["7.0", "7.0", "+0.0", "1.00"],
        "mean": ["1.00", "1.00", "+0.00", "1.00"],
    }


def test_held_out_tasks_are_named_so_and_show_on_which_side_of_the_range_they_are() -> None:
    one = result("care", {"a": 1.0, "b": 0.5, "c": 0.0, "d": 0.0}, dict.fromkeys("abcd", 0.0))
    one["held_out"] = True
    for name, side in {"a": "inside", "b": "outside", "c": "outside", "d": None}.items():
        one["tasks"][name]["range"] = side
    assert cells(one) == {
        "a": ["inside", "1.00"],
        "b": ["outside", "0.50"],
        "c": ["outside", "0.00"],
        "d": ["-", "0.00"],
        "mean": ["", "0.38"],
        "mean inside": ["", "1.00"],
        "mean outside": ["", "0.25"],
    }
    assert comparison_table([one]).title == "s, held-out tasks: success over 4 episodes a task, seed 3"
    for scores in one["tasks"].values():
        scores["range"] = None
    assert cells(one)["a"] == ["1.00"]


def test_unequal_numbers_of_episodes_are_told_as_a_range() -> None:
    one = result("care", {"a": 1.0, "b": 0.5, "c": 0.0}, dict.fromkeys("abc", 0.0))
    for name, count in {"a": 7, "b": 50, "c": 9}.items():
        one["tasks"][name]["episodes"] = count
    assert comparison_table([one]).title == "s: success over 7 to 50 episodes a task, seed 3"
