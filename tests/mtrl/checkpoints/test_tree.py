"""States taken apart into JSON and arrays, and put together again."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from agents.checks.pieces import Broken
from agents.checks.state import check_storable
from mtrl.checkpoints.tree import join_arrays, split_arrays


def there_and_back(state: Any) -> Any:
    values, arrays = split_arrays(state)
    return join_arrays(json.loads(json.dumps(values, allow_nan=False)), arrays)


@pytest.mark.parametrize(
    "state",
    [
        {"step": 3, "rate": 0.1, "name": "care", "none": None, "yes": True},
        {"generator": np.random.default_rng(3).bit_generator.state},
        {0: {"a": 1}, 1: {"b": (1, 2, [3, ()])}},
        {"lr": math.inf, "low": -math.inf},
        [],
        {},
        {"$tensor": "a key like one of ours"},
        {"a/b": 1, "a": {"b": 2}},
    ],
)
def test_plain_values_come_back_as_they_were(state: Any) -> None:
    assert there_and_back(state) == state


def test_a_number_that_is_none_comes_back() -> None:
    assert math.isnan(there_and_back({"x": math.nan})["x"])


def test_arrays_keep_type_and_shape_and_share_no_memory() -> None:
    tensor = torch.arange(6, dtype=torch.int64).view(2, 3)
    state = {
        "a": tensor,
        "same": tensor,
        "bool": torch.tensor([True]),
        "n": {"p": np.array([[0.5]]), "s": np.float32(2)},
    }
    back = there_and_back(state)
    assert back["a"].tolist() == back["same"].tolist() == tensor.tolist()
    assert (back["a"].dtype, back["bool"].dtype) == (torch.int64, torch.bool)
    assert isinstance(back["n"]["p"], np.ndarray)
    assert (back["n"]["p"].tolist(), back["n"]["s"]) == ([[0.5]], 2.0)
    back["a"][0, 0] = 99
    assert tensor[0, 0] == back["same"][0, 0] == 0


def test_names_of_arrays_that_would_be_alike_are_kept_apart() -> None:
    state = {"a/b": torch.tensor(1.0), "a": {"b": torch.tensor(2.0)}}
    back = there_and_back(state)
    assert (back["a/b"], back["a"]["b"]) == (1.0, 2.0)


def test_an_optimizers_state_goes_on_as_if_nothing_had_happened() -> None:
    def steps(weight: torch.nn.Parameter, optimizer: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            weight.square().sum().backward()
            optimizer.step()

    one = torch.nn.Parameter(torch.ones(3))
    first = torch.optim.Adam([one], lr=0.1)
    steps(one, first, 3)
    other = torch.nn.Parameter(one.detach().clone())
    second = torch.optim.Adam([other], lr=0.7)
    second.load_state_dict(there_and_back(first.state_dict()))
    steps(one, first, 2)
    steps(other, second, 2)
    assert one.tolist() == other.tolist()


@pytest.mark.parametrize(
    "value",
    [torch.ones(2), np.ones(2), np.float32(1), True, 1, 1.5, "a", None, (1, [2]), {3: "b"}, {4}, object()],
    ids=lambda value: type(value).__name__,
)
def test_the_check_of_agents_accepts_what_a_checkpoint_holds(value: Any) -> None:
    """The check is part of the agents, which know nothing of run folders."""
    refused = []
    for hold, error in (
        (lambda: check_storable("state_dict", {"a": value}), Broken),
        (lambda: split_arrays(value), TypeError),
    ):
        try:
            hold()
            refused.append(False)
        except error:
            refused.append(True)
    assert refused == [isinstance(value, set) or type(value) is object] * 2


def test_what_is_no_data_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="agent/callback is a function"):
        split_arrays({"agent": {"callback": there_and_back}})
