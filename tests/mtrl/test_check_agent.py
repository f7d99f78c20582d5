"""A broken piece is reported once, in one line that names it and what it must do instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from agents.build import built_piece
from agents.check import AgentReport, check_agent
from agents.registry.presets import PRESETS
from mtrl import check
from tests.mtrl.conftest import Said

FIRST = "the agent can be built and returns finite numbers: "
SAMPLER = "the sampler draws tasks of the suite: "
PIECES = """
    import json
    import torch
    from mtrl import Encoder, Trunk, preset
    from agents.samplers.uniform import Uniform

    class Fine(Encoder):
        def __init__(self, shape, generator):
            super().__init__(size=64)
            self.weight = torch.nn.Parameter(torch.randn(shape.obs, 64, generator=generator))

        def forward(self, obs, task=None):
            return obs @ self.weight

    class Unbuildable(Fine):
        def __init__(self, shape, generator):
            raise ValueError("no\\nsuch file")  # unbuildable

    class Unreadable(Fine):
        def __init__(self, shape, generator):
            json.loads("{")  # unreadable

    class Unfinished(Fine):
        def __init__(self):
            super().__init__(size=64)

    class Nan(Fine):
        def forward(self, obs, task=None):
            return super().forward(obs) * float("nan")

    class Narrow(Fine):
        def forward(self, obs, task=None):
            return super().forward(obs)[..., :60]

    class Flat(Fine):
        def forward(self, obs, task=None):
            return super().forward(obs).flatten(0, 1)

    class Nothing(Fine):
        def forward(self, obs, task=None):
            return None

    class Raising(Fine):
        def forward(self, obs, task=None):
            return torch.cat([obs, obs[0]])  # raising

    class NanTrunk(Trunk):
        def __init__(self, shape, generator):
            super().__init__()
            self.ensemble, self.network = shape.ensemble, shape.stack(shape.ensemble, generator)

        def forward(self, x, task=None):
            rows = x.flatten(0, 1).expand(self.ensemble, -1, -1)
            out = self.network(rows).unflatten(1, x.shape[:2])
            return out * float("inf") if self.ensemble == 2 else out

    class OneCritic(Trunk):
        def __init__(self, shape, generator):
            super().__init__()
            self.network = shape.stack(1, generator)

        def forward(self, x, task=None):
            return self.network(x.flatten(0, 1)[None]).unflatten(1, x.shape[:2])

    class NotStacked(Fine):
        def own_parameters(self):
            return [self.weight]

    class NoEncoder(torch.nn.Module):
        def __init__(self, shape, generator):
            super().__init__()

    def nan_penalty(module):
        return torch.tensor(float("nan"))

    def penalties(module):
        return torch.ones(5)

    def nan_gradients(losses, parameters):
        (losses.mean() * float("nan")).backward(inputs=list(parameters.all))

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

Check = Callable[[str, str], AgentReport]


@pytest.fixture
def check_piece(plug_in: Callable[..., str]) -> Check:
    """``check_piece(slot, name)``: the report on an agent whose piece in that slot is one of those above."""
    torch.set_num_threads(1)
    module = plug_in(PIECES, "my_pieces")
    return lambda slot, name: check_agent(PRESETS["mtsac"], {slot: f"{module}:{name}"})


def line_of(comment: str) -> int:
    """The line of the module above that ends with a comment."""
    (line,) = [number for number, text in enumerate(PIECES.splitlines(), 1) if text.endswith(f"# {comment}")]
    return line


@pytest.mark.parametrize(
    ("slot", "name", "message"),
    [
        ("encoder", "Nan", "returned NaN or infinity in 3072 of 3072 numbers; return finite ones"),
        ("encoder", "Narrow", "returned (T, N, 60) but its size is 64"),
        ("encoder", "Flat", "returned (48, 64) for T = 3, N = 16; return (T, N, 64)"),
        ("encoder", "Nothing", "returned None; return a tensor (T, N, 64)"),
        ("trunk", "OneCritic", ", as the critic, returned (1, 3, 16, 1); return (2, 3, 16, 1), (E, T, N, size_out)"),
        ("trunk", "NanTrunk", ", as the critic, returned NaN or infinity in 96 of 96 numbers; return finite ones"),
        (
            "penalty",
            "nan_penalty",
            "returned tensor(nan) for the encoder; return a finite number, a tensor of shape ()",
        ),
        (
            "penalty",
            "penalties",
            "returned tensor([1., 1., 1., 1., 1.]) for the encoder; return a finite number, a tensor of shape ()",
        ),
    ],
)
def test_a_piece_that_returns_something_wrong_is_the_only_problem(
    check_piece: Check, slot: str, name: str, message: str
) -> None:
    report = check_piece(slot, name)
    separator = "" if message.startswith(",") else " "
    assert report.problems == [f"{FIRST}{slot} 'my_pieces:{name}'{separator}{message}"]
    assert report.passed == [SAMPLER.removesuffix(": ")]


def test_parameters_by_task_that_are_not_stacked_and_a_foreign_class_are_reported(check_piece: Check) -> None:
    (problem,) = check_piece("encoder", "NotStacked").problems
    assert "own_parameters of encoder 'my_pieces:NotStacked' returned one of shape (4, 64)" in problem
    assert "its first axis must be T, here T = 3" in problem
    (problem,) = check_piece("encoder", "NoEncoder").problems
    assert "encoder 'my_pieces:NoEncoder' is a NoEncoder; subclass mtrl.Encoder" in problem


def test_weights_that_are_not_finite_are_the_only_problem(check_piece: Check) -> None:
    (problem,) = check_piece("aggregator", "nan_gradients").problems
    assert problem.startswith(f"{FIRST}after 4 updates, ")
    assert problem.endswith("a loss or its gradient is not finite")


@pytest.mark.parametrize(
    ("name", "message", "comment"),
    [
        ("Unbuildable", "cannot be built: ValueError: no such file", "unbuildable"),
        ("Unreadable", "cannot be built: JSONDecodeError: Expecting property name", "unreadable"),
        ("Raising", "raised RuntimeError: ", "raising"),
    ],
)
def test_a_piece_that_raises_is_reported_once_with_its_line(
    check_piece: Check, tmp_path: Path, name: str, message: str, comment: str
) -> None:
    (problem,) = check_piece("encoder", name).problems
    assert problem.startswith(f"{FIRST}encoder 'my_pieces:{name}' {message}")
    assert problem.endswith(f" ({tmp_path / 'my_pieces.py'}:{line_of(comment)})")
    assert "\n" not in problem


def test_a_piece_that_takes_other_arguments_is_named(check_piece: Check) -> None:
    (problem,) = check_piece("encoder", "Unfinished").problems
    assert problem.startswith(f"{FIRST}encoder 'my_pieces:Unfinished' cannot be built: TypeError: ")
    assert problem.endswith("takes 1 positional argument but 3 were given")


def test_an_exception_names_a_piece_only_if_one_raised_it() -> None:
    error = ValueError()
    error.add_note("of the user's own")
    assert built_piece(error) == ""


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
def test_a_sampler_that_draws_something_else_is_reported(check_piece: Check, name: str, message: str) -> None:
    report = check_piece("sampler", name)
    (problem,) = report.problems
    assert problem.startswith(f"{SAMPLER}draw(16) of sampler 'my_pieces:{name}' {message}; {DRAWN}")
    assert len(report.passed) >= 8


def test_a_sampler_that_raises_is_reported_with_its_line(check_piece: Check, tmp_path: Path) -> None:
    (problem,) = check_piece("sampler", "Raises").problems
    place = f"{tmp_path / 'my_pieces.py'}:{line_of('draws')}"
    raised = f"draw(16) of sampler 'my_pieces:Raises' raised KeyError: 'weights' ({place}); {DRAWN}"
    assert problem.startswith(f"{SAMPLER}{raised}")
    (problem,) = check_piece("sampler", "Forgets").problems
    assert problem.startswith(f"{SAMPLER}observe_scores of sampler 'my_pieces:Forgets' raised IndexError: scores (")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Random", "draws differently after its state was restored in a new one"),
        ("Unstorable", "returned a Generator under ['generator'], which a checkpoint cannot hold"),
    ],
)
def test_a_sampler_that_cannot_be_restored_is_reported(check_piece: Check, name: str, message: str) -> None:
    (problem,) = check_piece("sampler", name).problems
    assert message in problem


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("function", "returned (None, 16), which has no draw, observe_losses, "),
        ("Stateless", "returned an object of class Stateless, which has no observe_losses, "),
        ("of_rows", "cannot be built: TypeError: of_rows() missing 1 required positional argument: 'losses'; "),
    ],
)
def test_what_is_not_a_sampler_is_reported(check_piece: Check, name: str, message: str) -> None:
    (problem,) = check_piece("sampler", name).problems
    assert problem.startswith(f"{SAMPLER}sampler 'my_pieces:{name}' {message}")
    assert "called with a PieceShape, it must return an object with the methods draw, observe_losses, " in problem


def test_a_sampler_may_leave_tasks_out_and_repeat_others(check_piece: Check) -> None:
    assert check_piece("sampler", "Repeats").problems == []


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
