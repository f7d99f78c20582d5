"""The benchmark of CUDA graphs asks for a GPU; what it times is tried with a stand-in for the graph."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from agents.graph import MAX_UPDATES_PER_GRAPH
from mtrl import bench
from mtrl.benchmarks.graphs import graph_lines
from mtrl.benchmarks.options import BenchConfig
from mtrl.errors import UsageError
from tests.agents.tape import TapeCapture

CPU = torch.device("cpu")


def test_without_a_gpu_it_is_refused_in_one_line(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "--cudagraphs needs a GPU, and torch finds none" in refused(bench.main, "agents", "--cudagraphs")


def test_every_number_of_tasks_is_timed_with_one_and_with_several_updates_in_a_graph() -> None:
    capture = TapeCapture()
    options = BenchConfig("agents", agent="mtsac", rows=4, task_counts=(1, 3), repeats=1)
    _, *rows = (line.split() for line in graph_lines(options, CPU, capture))
    assert [row[:3] for row in rows] == [
        [tasks, "4", count] for tasks in ("1", "3") for count in ("1", str(MAX_UPDATES_PER_GRAPH))
    ]
    assert capture.recorded == 4


def test_an_agent_that_cannot_be_captured_is_named() -> None:
    with pytest.raises(UsageError, match="agent 'sb3' is not made of the kit's pieces; give --agent care"):
        graph_lines(BenchConfig("agents", agent="sb3"), CPU)
