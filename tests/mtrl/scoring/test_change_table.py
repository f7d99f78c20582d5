"""The table of what changed: differences by hand, new tasks apart from the others of their group."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from mtrl.scoring.change_table import change_table


def result(known: int, new: int) -> dict[str, Any]:
    """Known tasks of group a fall from .8 to .5, new ones rise from .1 to .9."""

    def scores(success: float) -> dict[str, Any]:
        return {"success_any": success, "success_last": success, "return": 1.0, "random_return": 0.0, "episodes": 10}

    names = [*(f"old{k}" for k in range(known)), *(f"new{k}" for k in range(new))]
    fresh = {name: name.startswith("new") for name in names}
    before = {
        name: {"success_any": own, "success_last": own, "return": 0.5, "new": fresh[name]}
        for name, own in ((name, 0.1 if fresh[name] else 0.8) for name in names)
    }
    after = {name: {**scores(0.9 if fresh[name] else 0.5), "group": "a"} for name in names}
    told = {"run": "runs/first", "tasks": before}
    return {"suite": "s", "agent": "care", "seed": 0, "tasks": after, "before": told}


def rows(made: dict[str, Any]) -> tuple[str, list[list[str]]]:
    """The title, and the cells of each line of the table as it is printed."""
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(change_table(made))
    lines = capture.get().splitlines()
    return lines[0].strip(), [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]


def test_differences_by_hand() -> None:
    title, lines = rows(result(1, 1))
    assert title == "s: what changed since runs/first"
    assert lines == [
        ["old0", "known", "0.50 0.50", "0.80 0.80", "-0.30 -0.30"],
        ["new0", "new", "0.90 0.90", "0.10 0.10", "+0.80 +0.80"],
        ["mean", "", "0.70 0.70", "0.45 0.45", "+0.25 +0.25"],
        ["mean known", "", "0.50 0.50", "0.80 0.80", "-0.30 -0.30"],
        ["mean new", "", "0.90 0.90", "0.10 0.10", "+0.80 +0.80"],
    ]


def test_many_tasks_are_gathered_and_new_ones_of_a_group_stand_apart() -> None:
    _, lines = rows(result(24, 2))
    assert [line[0] for line in lines] == ["a (24)", "a, new (2)", "mean", "mean known", "mean new"]
    assert lines[0][-1] == "-0.30 -0.30"
