"""The table at the end of a run: one row per task, success where it is known, else returns, and the difference."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from mtrl.scoring.score_table import comparison_table, normalised_returns

AGENTS = ("care", "single-task")


def result(
    agent: str,
    success: dict[str, float | None],
    returns: dict[str, float],
    last: dict[str, float] | None = None,
    floor: dict[str, dict[str, float | None]] | None = None,
) -> dict[str, Any]:
    """What a run of ``agent`` came to; ``floor`` is what random actions did, by task."""
    tasks: dict[str, dict[str, Any]] = {
        name: {
            "success_any": success[name],
            "success_last": (last or success)[name],
            "return": returns[name],
            "episodes": 4,
            **{f"random_{key}": value for key, value in (floor or {}).get(name, {}).items()},
        }
        for name in success
    }
    return {"suite": "s", "agent": agent, "seed": 3, "mean": {}, "tasks": tasks}


def printed(*results: dict[str, Any], width: int = 120) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(comparison_table(results))
    return out.getvalue()


def cells(*results: dict[str, Any]) -> dict[str, list[str]]:
    """Task -> the table's cells; a row of returns below a task's success is ``<task>, return``."""
    rows: dict[str, list[str]] = {}
    task = ""
    for line in printed(*results).splitlines():
        if line.startswith("│"):
            label, *values = [cell.strip() for cell in line.strip("│").split("│")]
            task, label = (task, f"{task}, return") if label == "return" else (label, label)
            rows[label] = values
    return rows


def test_difference_is_the_agent_minus_its_baseline_at_any_step_and_at_the_last() -> None:
    care = result("care", {"a": 1.0, "b": 0.25}, {"a": 0.0, "b": 0.0}, {"a": 0.75, "b": 0.25})
    alone = result("single-task", {"a": 0.5, "b": 0.75}, {"a": 0.0, "b": 0.0}, {"a": 0.5, "b": 0.5})
    assert cells(care, alone) == {
        "a": ["1.00 0.75", "0.50 0.50", "+0.50 +0.25"],
        "b": ["0.25 0.25", "0.75 0.50", "-0.50 -0.25"],
        "mean": ["0.62 0.50", "0.62 0.50", "+0.00 +0.00"],
    }


def test_random_actions_stand_beside_success_and_returns() -> None:
    floor = {
        "a": {"success_any": 0.5, "success_last": 0.25, "return": 9.0},
        "b": {"success_any": None, "success_last": None, "return": -7.0},
    }
    one = result("care", {"a": 1.0, "b": None}, {"a": 0.0, "b": 2.0}, {"a": 1.0, "b": None}, floor)
    assert cells(one) == {
        "a": ["1.00 1.00", "0.50 0.25"],
        "b (return)": ["2.0", "-7.0"],
        "mean": ["1.00 1.00", "0.50 0.25"],
    }
    assert "random: uniform actions" in " ".join(printed(one).split())


def test_a_result_from_before_random_actions_were_scored_is_shown_without_them() -> None:
    old = result("care", {"a": 1.0}, {"a": 0.0})
    assert cells(old) == {"a": ["1.00 1.00"], "mean": ["1.00 1.00"]}
    assert "random" not in printed(old)


def test_where_success_is_rare_for_every_agent_the_return_stands_below() -> None:
    care = result("care", {"a": 0.02, "b": 0.02, "c": 0.0}, {"a": 1.5, "b": 2.0, "c": 3.0})
    alone = result("single-task", {"a": 0.08, "b": 0.9, "c": 0.0}, {"a": 1.0, "b": 5.0, "c": 0.0})
    assert cells(care, alone) == {
        "a": ["0.02 0.02", "0.08 0.08", "-0.06 -0.06"],
        "a, return": ["1.5", "1.0", "+0.5"],
        "b": ["0.02 0.02", "0.90 0.90", "-0.88 -0.88"],
        "c": ["0.00 0.00", "0.00 0.00", "+0.00 +0.00"],
        "c, return": ["3.0", "0.0", "+3.0"],
        "mean": ["0.01 0.01", "0.33 0.33", "-0.31 -0.31"],
    }


def test_it_says_which_success_is_meant_and_two_agents_fit_80_columns() -> None:
    names = ["button-press-topdown-v3", "pick-place-v3"]
    floor = {name: {"success_any": 0.0, "success_last": 0.0, "return": -12345.6} for name in names}
    both = [result(a, dict.fromkeys(names, 0.04), dict.fromkeys(names, -1234.5), None, floor) for a in AGENTS]
    lines = printed(*both, width=80).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if "button-press-topdown-v3" in line]
    assert [line.count("any") for line in lines if "┃ task" in line] == [4]
    assert [line.count("last") for line in lines if "┃ task" in line] == [4]
    assert "any: success at any step of an episode; last: at its last step" in " ".join(" ".join(lines).split())


def test_a_suite_without_success_is_compared_by_return_and_one_result_has_no_difference() -> None:
    silent = {"a": None, "b": None}
    one, other = result("care", silent, {"a": -10.0, "b": 4.0}), result("sb3", silent, {"a": -12.5, "b": 4.0})
    assert cells(one, other)["a"] == ["-10.0", "-12.5", "+2.5"]
    assert cells(one) == {"a": ["-10.0"], "b": ["4.0"], "mean": ["-3.0"]}
    assert "success" not in printed(one, other)


def test_a_task_that_does_not_say_success_is_shown_by_its_return_among_those_that_do() -> None:
    some = result("care", {"a": 1.0, "b": None}, {"a": 0.0, "b": 7.5})
    assert cells(some, some)["b (return)"] == ["7.5", "7.5", "+0.0"]
    assert cells(some, some)["mean"] == ["1.00 1.00", "1.00 1.00", "+0.00 +0.00"]


def test_a_return_beyond_all_measure_leaves_the_tasks_their_names() -> None:
    silent = {"much": None, "little": None}
    one = result("care", silent, {"much": -1.89e38, "little": -1384.5})
    other = result("sb3", silent, {"much": -1.65e38, "little": 2e7})
    assert cells(one, other)["much"] == ["-1.9e+38", "-1.6e+38", "-2.4e+37"]
    assert cells(one, other)["little"] == ["-1384.5", "2.0e+07", "-2.0e+07"]
    assert max(map(len, printed(one, other, width=80).splitlines())) < 60


def test_a_tasks_name_in_brackets_is_shown_as_it_is() -> None:
    assert "[red]a" in cells(result("care", {"[red]a": 1.0}, {"[red]a": 0.0}))


def chanced(agent: str, returns: dict[str, float], chance: dict[str, float]) -> dict[str, Any]:
    """What a run on tasks without success came to, and what random actions do."""
    return result(agent, dict.fromkeys(returns), returns, None, {name: {"return": r} for name, r in chance.items()})


CHANCE = {"a": -1000.0, "b": 10.0, "c": 5.0}
SHARED = chanced("care", {"a": -400.0, "b": 0.0, "c": 9.0}, CHANCE)
ALONE = {"a": -200.0, "b": 20.0, "c": 5.0}


def test_returns_are_normalised_by_random_actions_and_the_task_alone() -> None:
    """a: 600 of 800; b: 10 below random where alone is 10 above; c: alone no better than random, so no mean of all."""
    for baseline in ("single-task", "sb3"):
        other = chanced(baseline, ALONE, CHANCE)
        assert normalised_returns([SHARED, other]) == {"a": 0.75, "b": -1.0, "c": None}
        assert cells(SHARED, other) == {
            "a": ["-400.0", "-200.0", "-200.0", "-1000.0", "0.75"],
            "b": ["0.0", "20.0", "-20.0", "10.0", "-1.00"],
            "c": ["9.0", "5.0", "+4.0", "5.0", "-"],
            "mean": ["-130.3", "-58.3", "-72.0", "-328.3", "-"],
        }


def test_a_baseline_worse_than_random_actions_normalises_nothing() -> None:
    assert normalised_returns([SHARED, chanced("sb3", {"a": -1001.0, "b": 9.0, "c": 4.0}, CHANCE)]) == dict.fromkeys(
        "abc"
    )


def test_nothing_is_normalised_without_a_single_task_baseline() -> None:
    assert normalised_returns([SHARED]) == {}
    assert normalised_returns([SHARED, chanced("mtsac", ALONE, CHANCE)]) == {}
    assert "normalised" not in printed(SHARED, chanced("mtsac", ALONE, CHANCE))


def test_success_is_not_normalised_beside_returns_that_are() -> None:
    floor = {"a": {"success_any": 0.0, "success_last": 0.0, "return": 1.0}, "b": {"return": 5.0}}
    care, alone = (
        result(name, {"a": 1.0, "b": None}, {"a": 3.0, "b": 7.0}, None, floor) for name in ("care", "single-task")
    )
    assert cells(care, alone) == {
        "a": ["1.00 1.00", "1.00 1.00", "+0.00 +0.00", "0.00 0.00", "-"],
        "b (return)": ["7.0", "7.0", "+0.0", "5.0", "1.00"],
        "mean": ["1.00 1.00", "1.00 1.00", "+0.00 +0.00", "0.00 0.00", "1.00"],
    }


def test_held_out_tasks_are_named_so_and_show_on_which_side_of_the_range_they_are() -> None:
    one = result("care", {"a": 1.0, "b": 0.5, "c": 0.25, "d": 0.25}, dict.fromkeys("abcd", 0.0))
    one["held_out"] = True
    for name, side in {"a": "inside", "b": "outside", "c": "outside", "d": None}.items():
        one["tasks"][name]["range"] = side
    assert cells(one) == {
        "a": ["inside", "1.00 1.00"],
        "b": ["outside", "0.50 0.50"],
        "c": ["outside", "0.25 0.25"],
        "d": ["-", "0.25 0.25"],
        "mean": ["", "0.50 0.50"],
        "mean inside": ["", "1.00 1.00"],
        "mean outside": ["", "0.38 0.38"],
    }
    assert comparison_table([one]).title == "s, held-out tasks: success over 4 episodes per task, seed 3"
    for scores in one["tasks"].values():
        scores["range"] = None
    assert cells(one)["a"] == ["1.00 1.00"]


def test_unequal_numbers_of_episodes_are_told_as_a_range() -> None:
    one = result("care", {"a": 1.0, "b": 0.5, "c": 0.0}, dict.fromkeys("abc", 0.0))
    for name, count in {"a": 7, "b": 50, "c": 9}.items():
        one["tasks"][name]["episodes"] = count
    assert comparison_table([one]).title == "s: success over 7 to 50 episodes per task, seed 3"


def grouped(agent: str, tasks: int) -> dict[str, Any]:
    """A run on so many tasks, in turn of two groups: all of ``open`` solved, a quarter of ``[shut]``."""
    names = [f"task-{k}" for k in range(tasks)]
    own = result(agent, {name: (1.0, 0.25)[k % 2] for k, name in enumerate(names)}, dict.fromkeys(names, 0.0))
    for k, scores in enumerate(own["tasks"].values()):
        scores["group"] = ("open", "[shut]")[k % 2]
    return own


def test_many_tasks_are_shown_by_their_groups() -> None:
    assert cells(grouped("care", 22)) == {
        "open (11)": ["1.00 1.00"],
        "[shut] (11)": ["0.25 0.25"],
        "mean": ["0.62 0.62"],
    }
    two = printed(grouped("care", 50), grouped("single-task", 50), width=80)
    assert len(two.splitlines()) < 16
    assert "means over a group's tasks" in " ".join(two.split())


def test_few_tasks_and_tasks_without_a_group_are_shown_each() -> None:
    assert len(cells(grouped("care", 20))) == 20 + 1
    some = grouped("care", 22)
    some["tasks"]["task-3"]["group"] = ""
    assert len(cells(some)) == 22 + 1
