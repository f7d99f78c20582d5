"""A run with --cudagraphs from its options to its weights, with a stand-in for the graph, and who has the option."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import mtrl
from mtrl.config.defaults import baseline_config, default_config
from mtrl.errors import UsageError
from tests.agents.tape import TapeCapture
from tests.mtrl.conftest import read_json, weights

RUN = {"tasks": ("reach", "push"), "steps_per_task": 64, "random_steps": 32, "envs_per_task": 2, "batch_per_task": 4}
SEEN = {"eval_every": 32, "eval_episodes": 2, "log_every": 16, "hidden": (16,), "threads": 1}


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> list[TapeCapture]:
    """The stand-ins of the runs that follow, which take the CPU for a GPU."""
    made: list[TapeCapture] = []

    def capture(device: torch.device) -> TapeCapture:
        made.append(TapeCapture())
        return made[-1]

    monkeypatch.setattr("agents.graph.CUDACapture", capture)
    monkeypatch.setattr("mtrl.training.setup.device_of", lambda config: torch.device("cpu"))
    return made


def test_a_run_learns_by_its_graph_between_evaluations_and_diagnoses(
    tmp_path: Path, captures: list[TapeCapture], monkeypatch: pytest.MonkeyPatch
) -> None:
    graphed = mtrl.learn("tabletop", **RUN, **SEEN, cudagraphs=True, runs_dir=tmp_path / "graph").path
    monkeypatch.setattr("agents.graph.WARM_UP", 10**9)
    eager = mtrl.learn("tabletop", **RUN, **SEEN, cudagraphs=True, runs_dir=tmp_path / "eager").path
    assert [(one.warmed, one.recorded, one.replayed) for one in captures] == [(3, 1, 13), (16, 0, 0)]
    mine, reference = weights(graphed), weights(eager)
    assert all(torch.equal(mine[name], reference[name]) for name in reference)
    assert read_json(graphed / "config.json")["cudagraphs"] is True


def test_a_baseline_is_captured_where_it_can_be() -> None:
    config = dataclasses.replace(default_config("tabletop", "care"), cudagraphs=True)
    given = {name: baseline_config(dataclasses.replace(config, baseline=name)) for name in ("single-task", "sb3")}
    assert {name: one.cudagraphs for name, one in given.items()} == {"single-task": True, "sb3": False}


def test_a_piece_of_ones_own_is_captured_if_it_says_that_it_can_be(
    plug_in: Callable[..., str], captures: list[TapeCapture]
) -> None:
    plug_in(
        """
        from mtrl import Spec

        def doubled(losses, parameters):
            "The gradient of twice the mean."
            (2.0 * losses.mean()).backward(inputs=list(parameters.all))

        said = Spec("aggregator", "doubled", "twice the mean", doubled, capturable=True)
        """,
        "my_graph",
    )
    with pytest.raises(UsageError, match="aggregator 'my_graph:doubled' cannot be captured; leave it out"):
        mtrl.learn("tabletop", **RUN, **SEEN, cudagraphs=True, aggregator="my_graph:doubled")
    mtrl.learn("tabletop", **RUN, **SEEN, cudagraphs=True, aggregator="my_graph:said")
    assert [one.replayed for one in captures] == [13]
