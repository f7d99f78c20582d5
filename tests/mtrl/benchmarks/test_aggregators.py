"""The benchmark of aggregators names all that fit the agent, each beside the mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agents.registry.pieces import PIECES
from mtrl import bench

SHORT = ("aggregators", "--repeats", "1", "--rows", "4", "--threads", "1")


@pytest.mark.parametrize(
    ("agent", "names"), [("mtsac", [*PIECES["aggregator"]]), ("single-task", ["sum"])], ids=["mtsac", "single-task"]
)
def test_every_aggregator_that_fits_is_timed(call: Any, agent: str, names: list[str]) -> None:
    said = call(bench.main, *SHORT, "--agent", agent)
    rows = [line.split() for line in said.out.splitlines()[1:-1]]
    assert [row[0] for row in rows] == names
    assert rows[0][3] == "1.00x"
    assert "10 x 4 rows" in said.out


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--agent", "sb3"), "agent 'sb3' is not made of pieces, so it has no aggregator"),
        (("--rows", "0"), "--rows is 0; it has to be at least 1"),
    ],
)
def test_what_cannot_be_timed_is_refused_in_one_line(
    refused: Callable[..., str], flags: tuple[str, ...], words: str
) -> None:
    assert words in refused(bench.main, *SHORT, *flags)
