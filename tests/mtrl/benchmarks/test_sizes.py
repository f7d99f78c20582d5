"""Every agent of the kit is timed beside a plain network of its size."""

from __future__ import annotations

from typing import Any

import pytest

from agents.registry.presets import PRESETS
from mtrl import bench
from mtrl.config.control import MAX_SIZE_DIFFERENCE

SHORT = ("agents", "--all", "--repeats", "1", "--rows", "4", "--threads", "1")


@pytest.mark.parametrize("tasks", [1, 3])
def test_all_agents_have_a_line_and_a_control_of_their_size(call: Any, tasks: int) -> None:
    said = call(bench.main, *SHORT, "--task-counts", str(tasks))
    head, *rows, about = (line.split() for line in said.out.splitlines())
    assert head[-4:] == [str(tasks), "x", "4", "rows"]
    assert [row[0] for row in rows] == [name for name, agent in PRESETS.items() if agent.of_pieces]
    assert "(128," in about
    hidden = {name: own for name, *_, own in rows}
    assert hidden["mtsac"] == "128x128" != hidden["moore"]
    for name, *_, size, control, _, _ in rows:
        assert int(control.replace(",", "")) == pytest.approx(int(size.replace(",", "")), rel=MAX_SIZE_DIFFERENCE), name
