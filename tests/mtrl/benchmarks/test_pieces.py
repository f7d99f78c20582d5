"""The benchmark of pieces names all of a kind that fit the agent, each beside the agent's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agents.registry.pieces import PIECES
from mtrl import bench

SHORT = ("pieces", "--repeats", "1", "--rows", "4", "--threads", "1")


@pytest.mark.parametrize(
    ("agent", "slot", "names"),
    [
        ("mtsac", "aggregator", [*PIECES["aggregator"]]),
        ("single-task", "aggregator", ["sum"]),
        ("mtsac", "trunk", [*PIECES["trunk"]]),
        ("mtsac", "penalty", ["none", "l2", "l1", "orthogonality"]),
    ],
)
def test_every_piece_that_fits_is_timed(call: Any, agent: str, slot: str, names: list[str]) -> None:
    said = call(bench.main, *SHORT, "--agent", agent, "--slot", slot)
    rows = [line.split() for line in said.out.splitlines()[1:-1]]
    assert [row[0] for row in rows] == names
    assert rows[0][3] == "1.00x"
    assert "10 x 4 rows" in said.out


def test_each_number_of_tasks_has_a_table(call: Any) -> None:
    said = call(bench.main, *SHORT, "--agent", "mtsac", "--slot", "penalty", "--task-counts", "1", "3")
    heads = [line.split("mtsac, ")[1] for line in said.out.splitlines() if "mtsac, " in line]
    assert heads == ["1 x 4 rows", "3 x 4 rows"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--agent", "sb3"), "agent 'sb3' is not built from pieces, so it has no aggregator"),
        (("--rows", "0"), "--rows is 0; it must be at least 1"),
        (("--task-counts", "0"), "--task-counts is 0; give numbers of at least 1"),
        (("--task-counts", "1", "50"), "suite 'tabletop' has 10 tasks; give at most 10, or a larger suite"),
    ],
)
def test_what_cannot_be_timed_is_refused_in_one_line(
    refused: Callable[..., str], flags: tuple[str, ...], words: str
) -> None:
    assert words in refused(bench.main, *SHORT, *flags)
