"""Combinations of gradients against TorchJD's, on random gradients whose lengths differ a hundredfold.

Each tolerance is relative to the combination's length. That of MGDA is what ten thousand Frank-Wolfe steps leave.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from agents.aggregators import gradvac
from agents.aggregators.cagrad import conflict_averse
from agents.aggregators.imtl import impartial
from agents.aggregators.mgda import shortest
from agents.aggregators.nash_mtl import bargain
from agents.aggregators.pcgrad import projected
from agents.aggregators.upgrad import unconflicting
from tests.agents.aggregators.made import made, sides
from tests.agents.aggregators.test_gradient_weighing import RADIUS, SEEDS, gradients

jd: Any = pytest.importorskip("torchjd.aggregation", reason="TorchJD is in the extra test")
linalg: Any = pytest.importorskip("torchjd.linalg", reason="TorchJD is in the extra test")

CASES: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[], Any], float]] = {
    "UPGrad": (unconflicting, lambda: jd.UPGrad(projector=linalg.QuadprogProjector(reg_eps=1e-9)), 1e-5),
    "MGDA": (shortest, lambda: jd.MGDA(epsilon=1e-9, max_iters=10_000), 2e-2),
    "IMTLG": (impartial, lambda: jd.IMTLG(), 1e-5),
    "CAGrad": (lambda gram: conflict_averse(gram, RADIUS), lambda: jd.CAGrad(c=RADIUS), 1e-4),
}


def distance(found: Tensor, expected: Tensor) -> float:
    """How far two gradients are apart, relative to the second one's length."""
    return float((found - expected).norm() / expected.norm())


def with_solver(make: Callable[[], Any]) -> Any:
    """TorchJD's aggregator, unless its solver is not installed here."""
    try:
        return make()
    except ImportError as error:
        pytest.skip(str(error))


def in_order(tasks: int) -> Tensor:
    """An order in which every task meets the others: as they are numbered."""
    return torch.arange(tasks).expand(tasks, tasks)


@pytest.mark.parametrize("tasks", [2, 6])
@pytest.mark.parametrize("name", CASES)
def test_the_combination_is_torchjds(name: str, tasks: int) -> None:
    weights, make, tolerance = CASES[name]
    other = with_solver(make)
    for seed in SEEDS:
        drawn = gradients(seed, tasks)
        assert distance(weights(drawn @ drawn.T) @ drawn, other(drawn)) < tolerance


@pytest.mark.parametrize("seed", SEEDS)
def test_gradient_surgery_in_the_same_order_is_torchjds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "randperm", torch.arange)
    drawn = gradients(seed).float()
    found = projected(drawn @ drawn.T, in_order(len(drawn))).sum(dim=0) @ drawn
    assert distance(found, jd.PCGrad()(drawn)) < 1e-5


def test_gradient_vaccine_in_the_same_order_is_torchjds_update_after_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """The average cosines are met again in every later update."""
    monkeypatch.setattr(torch, "randperm", torch.arange)
    monkeypatch.setattr(gradvac, "random_orders", lambda gram, generator: in_order(len(gram)))
    ours, other = made("gradvac", 6, gradvac_rate=0.3).double(), jd.GradVac(beta=0.3)
    for seed in SEEDS:
        drawn = gradients(seed)
        found = ours.weights(drawn @ drawn.T, sides(torch.nn.Parameter(torch.zeros(1)))) @ drawn
        assert distance(found, other(drawn)) < 1e-5


@pytest.mark.filterwarnings("ignore:You are solving a parameterized problem")
@pytest.mark.parametrize(("tasks", "alike_long"), [(2, False), (6, True)])
def test_the_bargain_has_the_direction_of_torchjds(tasks: int, alike_long: bool) -> None:
    """Only where gradients of six tasks are alike long does TorchJD's series of convex problems come to the bargain."""
    drawn = gradients(2, tasks)
    drawn = drawn / drawn.norm(dim=1, keepdim=True) if alike_long else drawn
    expected = with_solver(lambda: jd.NashMTL(tasks))(drawn)
    found = bargain(drawn @ drawn.T) @ drawn
    assert distance(found / found.norm(), expected / expected.norm()) < 1e-5
