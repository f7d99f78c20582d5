"""A sampler that cannot be trained with is reported in one line that names it and what it must do instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.check import AgentReport, check_agent
from agents.registry.presets import PRESETS
from mtrl import check
from tests.mtrl.conftest import Said, line_of

FIRST = "the agent can be built and returns finite numbers: "
SAMPLER = "the sampler draws tasks of the suite: "
PIECES = """
    import torch
    from mtrl import Encoder, preset
    from agents.samplers.uniform import Uniform

    class Nan(Encoder):
        def __init__(self, shape, generator):
            super().__init__(size=64)

        def forward(self, obs, task=None):
            return torch.full((*obs.shape[:2], 64), float("nan"))

    class Raises(Uniform):
        def draw(self, rows_per_task):
            raise KeyError("weights")  # draws

    class ReturnsNone(Uniform):
        def draw(self, rows_per_task):
            return None

    class OutOfRange(Uniform):
        def draw(self, rows_per_task):
            return torch.tensor([0, 1, 99]), rows_per_task

    class Floats(Uniform):
        def draw(self, rows_per_task):
            return torch.tensor([0.0, 1.0]), rows_per_task

    class Empty(Uniform):
        def draw(self, rows_per_task):
            return torch.tensor([], dtype=torch.int64), rows_per_task

    class NoRows(Uniform):
        def draw(self, rows_per_task):
            return None, 0

    class Forgets(Uniform):
        def observe_scores(self, scores):
            raise IndexError("scores")

    class Random(Uniform):
        def __init__(self, shape):
            self.generator = torch.Generator().manual_seed(shape.seed)

        def draw(self, rows_per_task):
            return torch.randint(3, (3,), generator=self.generator), rows_per_task

    class Unstorable(Random):
        def state_dict(self):
            return {"generator": self.generator}

    class Stateless:
        def __init__(self, shape):
            pass

        def draw(self, rows_per_task):
            return None, rows_per_task

    def function(shape):
        return None, 16

    def of_rows(rows, losses):
        return None, rows

    class Repeats(Uniform):
        def draw(self, rows_per_task):
            return torch.tensor([1, 1]), rows_per_task

    mine = preset("two broken pieces", encoder="my_pieces:Nan", sampler="my_pieces:Empty")
"""

Check = Callable[[str], AgentReport]


@pytest.fixture
def check_sampler(plug_in: Callable[..., str]) -> Check:
    """``check_sampler(name)``: the report on an agent whose sampler is one of those above."""
    module = plug_in(PIECES, "my_pieces")
    return lambda name: check_agent(PRESETS["mtsac"], {"sampler": f"{module}:{name}"})


DRAWN = "it must return (tasks, rows): tasks int64 of shape (T',), with at least one entry and each from 0 to T - 1"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ReturnsNone", "returned None"),
        ("OutOfRange", "returned (tensor([ 0, 1, 99]), 16)"),
        ("Floats", "returned (tensor([0., 1.]), 16)"),
        ("Empty", "returned (tensor([], dtype=torch.int64), 16)"),
        ("NoRows", "returned (None, 0)"),
    ],
)
def test_a_sampler_that_draws_something_else_is_reported(check_sampler: Check, name: str, message: str) -> None:
    report = check_sampler(name)
    (problem,) = report.problems
    assert problem.startswith(f"{SAMPLER}draw(16) of sampler 'my_pieces:{name}' {message}; {DRAWN}")
    assert len(report.passed) >= 8


def test_a_sampler_that_raises_is_reported_with_its_line(check_sampler: Check, tmp_path: Path) -> None:
    (problem,) = check_sampler("Raises").problems
    place = f"{tmp_path / 'my_pieces.py'}:{line_of(PIECES, 'draws')}"
    raised = f"draw(16) of sampler 'my_pieces:Raises' raised KeyError: 'weights' ({place}); {DRAWN}"
    assert problem.startswith(f"{SAMPLER}{raised}")
    (problem,) = check_sampler("Forgets").problems
    assert problem.startswith(f"{SAMPLER}observe_scores of sampler 'my_pieces:Forgets' raised IndexError: scores (")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Random", "draws differently after its state was restored in a new one"),
        ("Unstorable", "returned a Generator under ['generator'], which a checkpoint cannot hold"),
    ],
)
def test_a_sampler_that_cannot_be_restored_is_reported(check_sampler: Check, name: str, message: str) -> None:
    (problem,) = check_sampler(name).problems
    assert message in problem


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("function", "returned (None, 16), which has no draw, observe_losses, "),
        ("Stateless", "returned an object of class Stateless, which has no observe_losses, "),
        ("of_rows", "cannot be built: TypeError: of_rows() missing 1 required positional argument: 'losses'; "),
    ],
)
def test_what_is_not_a_sampler_is_reported(check_sampler: Check, name: str, message: str) -> None:
    (problem,) = check_sampler(name).problems
    assert problem.startswith(f"{SAMPLER}sampler 'my_pieces:{name}' {message}")
    assert "called with a PieceShape, it must return an object with the methods draw, observe_losses, " in problem


def test_a_sampler_may_leave_tasks_out_and_repeat_others(check_sampler: Check) -> None:
    assert check_sampler("Repeats").problems == []


def test_a_sampler_that_needs_a_setting_is_skipped() -> None:
    report = check_agent(PRESETS["mtsac"], {"sampler": "widen-by-return"})
    assert report.problems == []
    assert any(line.startswith(SAMPLER) and "--widen-return" in line for line in report.skipped)


def test_the_command_reports_both_a_broken_piece_and_a_broken_sampler(
    call: Callable[..., Said], plug_in: Callable[..., str]
) -> None:
    plug_in(PIECES, "my_pieces")
    said = call(check.main, "--agent", "my_pieces:mine")
    problems = [line for line in said.out.splitlines() if line.startswith("  problem: ")]
    assert said.code == 2
    assert said.err == ""
    assert [FIRST in problems[0], SAMPLER in problems[1], len(problems)] == [True, True, 2]
