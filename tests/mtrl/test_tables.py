"""The table at the end of a run: one row per task, success where it is known, else returns, and the difference."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from mtrl.tables import comparison_table


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
