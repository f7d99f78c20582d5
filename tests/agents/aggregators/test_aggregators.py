"""Aggregators against gradients worked out by hand, and what any of them has to keep to."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from agents.aggregators import Parameters, aggregator, split_parameters, sums
from agents.aggregators.pcgrad import pcgrad, projected
from agents.base import seeded_generator


def linear_losses(rows: list[list[float]], parameter: nn.Parameter) -> Tensor:
    """Losses (T,) whose gradients are ``rows``, (T, P)."""
    return torch.tensor(rows) @ parameter


def sides(shared: nn.Parameter, own: nn.Parameter | None = None, seed: int = 0) -> Parameters:
    own_ones = () if own is None else (own,)
    return Parameters((shared,), own_ones, "critic", seeded_generator(seed))


def gradient_of(rows: list[list[float]], aggregate: aggregator.Aggregate) -> list[float]:
    parameter = nn.Parameter(torch.zeros(len(rows[0])))
    aggregate(linear_losses(rows, parameter), sides(parameter))
    assert parameter.grad is not None
    return parameter.grad.tolist()


def test_mean_and_sum_by_hand() -> None:
    rows = [[1.0, 2.0], [3.0, -4.0]]
    assert gradient_of(rows, sums.mean) == [2.0, -1.0]
    assert gradient_of(rows, sums.total) == [4.0, -2.0]


def test_two_conflicting_gradients_lose_their_components_along_each_other() -> None:
    """g1 = (1, 0), g2 = (-1, 1): inner product -1; g1 + g2 / 2 = (.5, .5), g2 + g1 = (0, 1)."""
    assert gradient_of([[1.0, 0.0], [-1.0, 1.0]], pcgrad) == pytest.approx([0.5, 1.5])


def test_gradients_that_do_not_conflict_are_summed() -> None:
    assert gradient_of([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]], pcgrad) == pytest.approx([2.0, 3.0])


def test_a_task_without_gradient_changes_nothing() -> None:
    assert gradient_of([[1.0, 0.0], [0.0, 0.0]], pcgrad) == pytest.approx([1.0, 0.0])


def test_projection_equals_the_papers_loop_for_any_order() -> None:
    gradients = torch.randn(5, 7, generator=seeded_generator(1), dtype=torch.float64)
    order = torch.rand(5, 5, generator=seeded_generator(2)).argsort(dim=1)
    expected = []
    for i, mine in enumerate(gradients):
        for j in order[i].tolist():
            inner = mine @ gradients[j]
            if j != i and inner < 0:
                mine = mine - inner / gradients[j].square().sum() * gradients[j]
        expected.append(mine)
    torch.testing.assert_close(projected(gradients @ gradients.T, order) @ gradients, torch.stack(expected))


def test_what_each_task_has_of_its_own_gets_its_own_gradient() -> None:
    shared, own = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.tensor([3.0, 5.0]))
    losses = linear_losses([[1.0, 0.0], [-1.0, 1.0]], shared) + own.square()
    pcgrad(losses, sides(shared, own))
    assert own.grad is not None
    assert own.grad.tolist() == [6.0, 10.0]
    assert shared.grad is not None
    assert shared.grad.tolist() == pytest.approx([0.5, 1.5])


def test_nothing_but_the_parameters_gets_a_gradient() -> None:
    shared, other = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.ones(()))
    for aggregate in (sums.mean, sums.total, pcgrad):
        aggregate(other * linear_losses([[1.0, 0.0], [0.0, 1.0]], shared), sides(shared))
        assert other.grad is None


def test_parameters_are_sorted_by_who_trains_them() -> None:
    one, two, three = (nn.Parameter(torch.zeros(1)) for _ in range(3))
    found = split_parameters("actor", [one, two, three], [two], seeded_generator(0))
    assert [id(p) for p in found.shared] == [id(one), id(three)]
    assert [id(p) for p in found.own] == [id(two)]
    assert [id(p) for p in found.all] == [id(one), id(three), id(two)]
