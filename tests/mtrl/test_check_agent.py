"""A broken piece is reported once, in one line that names it and what it must do instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.build import built_piece
from agents.check import AgentReport, check_agent
from agents.registry.presets import PRESETS
from tests.mtrl.conftest import line_of

FIRST = "the agent can be built and returns finite numbers: "
SAMPLER = "the sampler draws tasks of the suite: "
PIECES = """
    import json
    import torch
    from mtrl import Encoder, Trunk

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
"""

Check = Callable[[str, str], AgentReport]


@pytest.fixture
def check_piece(plug_in: Callable[..., str]) -> Check:
    """``check_piece(slot, name)``: the report on an agent whose piece in that slot is one of those above."""
    module = plug_in(PIECES, "my_pieces")
    return lambda slot, name: check_agent(PRESETS["mtsac"], {slot: f"{module}:{name}"})


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
    assert problem.endswith(f" ({tmp_path / 'my_pieces.py'}:{line_of(PIECES, comment)})")
    assert "\n" not in problem


def test_a_piece_that_takes_other_arguments_is_named(check_piece: Check) -> None:
    (problem,) = check_piece("encoder", "Unfinished").problems
    assert problem.startswith(f"{FIRST}encoder 'my_pieces:Unfinished' cannot be built: TypeError: ")
    assert problem.endswith("takes 1 positional argument but 3 were given")


def test_an_exception_names_a_piece_only_if_one_raised_it() -> None:
    error = ValueError()
    error.add_note("of the user's own")
    assert built_piece(error) == ""
