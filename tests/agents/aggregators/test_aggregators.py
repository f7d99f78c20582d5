"""Sums and gradient surgery against gradients worked out by hand, and properties of every aggregator."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from agents.aggregators import split_parameters, sums
from agents.aggregators.pcgrad import projected
from agents.base import seeded_generator
from agents.registry.pieces import PIECES
from tests.agents.aggregators.made import gradient_of, linear_losses, made, sides

SURGERY = [name for name, piece in PIECES["aggregator"].items() if piece.needs_sharing]


def test_mean_and_sum_by_hand() -> None:
    rows = [[1.0, 2.0], [3.0, -4.0]]
    assert gradient_of(rows, sums.mean) == [2.0, -1.0]
    assert gradient_of(rows, sums.total) == [4.0, -2.0]


def test_two_conflicting_gradients_lose_their_components_along_each_other() -> None:
    """g1 = (1, 0), g2 = (-1, 1): inner product -1; g1 + g2 / 2 = (.5, .5), g2 + g1 = (0, 1)."""
    assert gradient_of([[1.0, 0.0], [-1.0, 1.0]], made("pcgrad", 2)) == pytest.approx([0.5, 1.5])


def test_gradients_that_do_not_conflict_are_summed() -> None:
    assert gradient_of([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]], made("pcgrad", 3)) == pytest.approx([2.0, 3.0])


def test_a_task_without_gradient_changes_nothing() -> None:
    assert gradient_of([[1.0, 0.0], [0.0, 0.0]], made("pcgrad", 2)) == pytest.approx([1.0, 0.0])


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


def test_surgery_leaves_no_conflict_between_a_projected_gradient_and_the_one_it_was_projected_against_last() -> None:
    gradients = torch.randn(2, 7, generator=seeded_generator(1), dtype=torch.float64)
    gradients[1] -= 2.0 * gradients[0]
    order = torch.tensor([[0, 1], [1, 0]])
    found = projected(gradients @ gradients.T, order) @ gradients
    products = found @ gradients.T
    assert float(gradients[0] @ gradients[1]) < 0.0
    assert float(products[0, 1]) == pytest.approx(0.0, abs=1e-9)
    assert float(products[1, 0]) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("name", [*PIECES["aggregator"]])
def test_one_task_alone_gets_its_own_direction(name: str) -> None:
    first, second = gradient_of([[1.0, 2.0]], made(name, 1))
    assert first > 0.0
    assert second == pytest.approx(2.0 * first)


@pytest.mark.parametrize("name", SURGERY)
def test_task_specific_parameters_get_their_tasks_gradient(name: str) -> None:
    shared, own = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.tensor([3.0, 5.0]))
    losses = linear_losses([[1.0, 0.0], [-1.0, 1.0]], shared) + own.square()
    made(name, 2)(losses, sides(shared, own))
    assert own.grad is not None
    assert own.grad.tolist() == [6.0, 10.0]
    assert shared.grad is not None


@pytest.mark.parametrize("name", [*PIECES["aggregator"]])
def test_nothing_but_the_parameters_gets_a_gradient(name: str) -> None:
    shared, other = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(()))
    made(name, 2)(other * linear_losses([[1.0, 0.0], [0.0, 1.0]], shared), sides(shared))
    assert other.grad is None
    assert shared.grad is not None


@pytest.mark.parametrize("role", ["critic", "actor"])
@pytest.mark.parametrize("name", [*PIECES["aggregator"]])
def test_equal_tasks_get_their_common_direction(name: str, role: str) -> None:
    """Equal losses with equal gradients leave nothing to weigh, in any order of the tasks."""
    shared = nn.Parameter(torch.ones(2))
    aggregate = made(name, 3)
    for task in (None, torch.tensor([2, 0, 1]), torch.tensor([1, 1])):
        rows = [[1.0, 2.0]] * (3 if task is None else len(task))
        shared.grad = None
        aggregate(linear_losses(rows, shared), sides(shared, role=role, task=task))
        assert shared.grad is not None
        assert float(shared.grad[0]) > 0.0
        assert float(shared.grad[1] / shared.grad[0]) == pytest.approx(2.0, rel=1e-4)


@pytest.mark.parametrize("name", [name for name in PIECES["aggregator"] if name not in ("mean", "sum")])
def test_the_weights_of_both_updates_are_reported_per_task(name: str) -> None:
    shared, aggregate = nn.Parameter(torch.ones(2)), made(name, 2)
    for role in ("critic", "actor"):
        aggregate(linear_losses([[1.0, 0.0], [0.0, 1.0]], shared), sides(shared, role=role))
    metrics = aggregate.metrics()
    assert {key: (*value.shape,) for key, value in metrics.items()} == {
        "critic_task_weight": (2,),
        "actor_task_weight": (2,),
    }
    for weights in metrics.values():
        assert bool((weights > 0).all())


def test_parameters_are_sorted_by_who_trains_them() -> None:
    one, two, three = (nn.Parameter(torch.zeros(1)) for _ in range(3))
    found = split_parameters("actor", [one, two, three], [two], seeded_generator(0))
    assert [id(p) for p in found.shared] == [id(one), id(three)]
    assert [id(p) for p in found.own] == [id(two)]
    assert [id(p) for p in found.all] == [id(one), id(three), id(two)]
