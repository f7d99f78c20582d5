"""What each combination of gradients promises, on random gradients with conflicts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from agents.aggregators.cagrad import conflict_averse
from agents.aggregators.gradvac import vaccinated
from agents.aggregators.imtl import impartial
from agents.aggregators.mgda import shortest
from agents.aggregators.nash_mtl import bargain
from agents.aggregators.pcgrad import projected, random_orders
from agents.aggregators.quadratic import RIDGE, cosines_and_norms, nonnegative_minimum
from agents.aggregators.upgrad import unconflicting
from agents.base import seeded_generator
from agents.registry.pieces import PIECES
from tests.agents.aggregators.made import linear_losses, made, sides

Draw = Callable[[int], Tensor]
RADIUS = 0.4
SEEDS = range(5)


def gradients(seed: int, tasks: int = 6, size: int = 40) -> Tensor:
    """Gradients (T, P) of very different lengths, many of which conflict."""
    drawn = torch.randn(6, size, generator=seeded_generator(seed), dtype=torch.float64)
    drawn[1] -= drawn[0]
    drawn[3] -= 0.7 * drawn[2]
    return (drawn * torch.tensor([0.1, 1.0, 5.0, 1.0, 0.5, 10.0], dtype=torch.float64)[:, None])[:tasks]


def in_few_dimensions(seed: int, tasks: int = 10, noisy: float = 0.03) -> Tensor:
    """Gradients (T, P) that are almost linearly dependent: half as many directions as tasks, and a little noise."""
    generator = seeded_generator(seed)
    combined, directions, noise = (
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in ((tasks, tasks // 2), (tasks // 2, 200), (tasks, 200))
    )
    return combined @ directions + noisy * noise


DRAWN = [pytest.param(gradients, id="conflicting"), pytest.param(in_few_dimensions, id="in few dimensions")]


@pytest.mark.parametrize("draw", DRAWN)
@pytest.mark.parametrize("seed", SEEDS)
def test_upgrad_has_no_negative_product_with_any_task(seed: int, draw: Draw) -> None:
    drawn = draw(seed)
    assert bool(((drawn @ drawn.T) < 0).any())
    combined = unconflicting(drawn @ drawn.T) @ drawn
    assert float((drawn @ combined / drawn.norm(dim=1)).min()) > -1e-4 * float(combined.norm())


def almost_alike(seed: int) -> Tensor:
    """Three gradients (T, P) in nearly one direction, to either side."""
    generator = seeded_generator(seed)
    lengths, direction, noise = (
        torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((3, 1), (1, 200), (3, 200))
    )
    return lengths @ direction + 0.03 * noise


@pytest.mark.parametrize("draw", [*DRAWN, pytest.param(almost_alike, id="almost alike")])
@pytest.mark.parametrize("seed", [*SEEDS, 6, 7, 11, 17, 38, 47])
def test_mgda_is_the_shortest_convex_combination(seed: int, draw: Draw) -> None:
    """At the minimum norm no task's gradient has a smaller product with the combination than the combination itself."""
    drawn = draw(seed)
    weights = shortest(drawn @ drawn.T)
    combined = weights @ drawn
    assert float(weights.sum()) == pytest.approx(1.0)
    assert float(weights.min()) >= 0.0
    ridge = RIDGE * float(drawn.square().sum(dim=1).max())
    assert float((drawn @ combined).min()) >= float(combined.square().sum()) * (1.0 - 1e-3) - ridge


def test_mgda_of_opposite_gradients_is_zero() -> None:
    drawn = torch.tensor([[1.0, 0.0], [-3.0, 0.0]])
    assert (shortest(drawn @ drawn.T) @ drawn.double()).tolist() == pytest.approx([0.0, 0.0], abs=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_imtl_projects_equally_on_every_gradient(seed: int) -> None:
    drawn = gradients(seed)
    weights = impartial(drawn @ drawn.T)
    projections = drawn @ (weights @ drawn) / drawn.norm(dim=1)
    assert float(weights.sum()) == pytest.approx(1.0)
    torch.testing.assert_close(projections, projections.mean().expand(len(drawn)), rtol=1e-3, atol=0.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_nash_bargains_to_the_inverse_of_each_tasks_gain(seed: int) -> None:
    gram = gradients(seed) @ gradients(seed).T
    weights = bargain(gram)
    gained = gram @ weights * weights
    assert float(weights.min()) > 0.0
    torch.testing.assert_close(gained, gained.mean().expand(len(gram)), rtol=1e-3, atol=0.0)


def test_nash_solves_again_after_the_given_number_of_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    solved: list[int] = []

    def counted(gram: Tensor) -> Tensor:
        solved.append(len(gram))
        return bargain(gram)

    monkeypatch.setattr("agents.aggregators.nash_mtl.bargain", counted)
    shared, nash = nn.Parameter(torch.zeros(2)), made("nash-mtl", 2, nash_every=3)
    for _ in range(4):
        nash(linear_losses([[1.0, 0.0], [0.0, 2.0]], shared), sides(shared))
    assert solved == [2, 2]
    other = made("nash-mtl", 2, nash_every=3)
    other.load_state_dict(nash.state_dict())
    for _ in range(2):
        other(linear_losses([[1.0, 0.0], [0.0, 2.0]], shared), sides(shared))
    assert solved == [2, 2]
    assert shared.grad is not None
    # Orthogonal gradients, of lengths 1 and 2, are made as long as both are on average.
    assert shared.grad.tolist() == pytest.approx([1.5, 1.5], rel=1e-4)


def squares(shared: nn.Parameter, masked: bool) -> Tensor:
    """Losses (3,) of about 1, each with a gradient of its own; the second may be masked."""
    kept = torch.tensor([True, not masked, True])
    return torch.where(kept, shared.square(), torch.zeros(3))


@pytest.mark.parametrize("name", [name for name, piece in PIECES["aggregator"].items() if piece.needs_sharing])
def test_a_masked_task_is_reported_with_a_weight_no_larger_than_the_others(name: str) -> None:
    """Weights by inverse norms would be reported as hundreds of millions."""
    shared, aggregate = nn.Parameter(torch.tensor([1.0, 1.0, 1.1])), made(name, 3)
    aggregate(squares(shared, masked=True), sides(shared))
    first, masked, last = aggregate.metrics()["critic_task_weight"].tolist()
    assert abs(masked) <= 2.0 * min(first, last)


@pytest.mark.parametrize(("name", "settings"), [("nash-mtl", {"nash_every": 3}), ("gradnorm", {})])
def test_a_task_that_was_masked_weighs_no_more_when_it_is_back(name: str, settings: dict[str, int]) -> None:
    """Its zero gradient asks for no larger weight, nor is its zero loss the first one."""
    shared, aggregate = nn.Parameter(torch.tensor([1.0, 1.0, 1.1])), made(name, 3, **settings)
    for update in range(32):  # Nash-MTL bargains at the last but one
        aggregate(squares(shared, masked=update < 31), sides(shared))
    first, back, last = aggregate.metrics()["critic_task_weight"].tolist()
    assert back <= 2.0 * min(first, last)
    assert first == pytest.approx(last, rel=0.2)


@pytest.mark.parametrize("draw", [*DRAWN, pytest.param(partial(in_few_dimensions, tasks=50, noisy=0.1), id="fifty")])
@pytest.mark.parametrize("seed", SEEDS)
def test_cagrad_minimises_its_dual(seed: int, draw: Draw) -> None:
    drawn = draw(seed)
    gram = drawn @ drawn.T
    mean, reach = gram.mean(dim=0), RADIUS * gram.mean().sqrt()

    def dual(weights: np.ndarray) -> float:
        w = torch.from_numpy(weights)
        return float(w @ mean + reach * (w @ gram @ w).sqrt())

    even = np.full(len(gram), 1.0 / len(gram))
    constraint = {"type": "eq", "fun": lambda w: w.sum() - 1.0}
    best = minimize(dual, even, bounds=[(0, 1)] * len(gram), constraints=constraint, options={"ftol": 1e-12})
    moved = conflict_averse(gram, RADIUS) - 1.0 / len(gram)
    assert dual((moved / moved.sum()).numpy()) == pytest.approx(best.fun, rel=1e-4)
    assert float((moved @ drawn).norm() / drawn.mean(dim=0).norm()) == pytest.approx(RADIUS, rel=1e-3)


def test_cagrad_with_radius_zero_is_the_mean() -> None:
    drawn = gradients(0)
    torch.testing.assert_close(conflict_averse(drawn @ drawn.T, 0.0) @ drawn, drawn.mean(dim=0))


def test_gradvac_turns_a_gradient_until_its_cosine_is_the_target() -> None:
    drawn, target = gradients(0, tasks=2), 0.3
    order = torch.tensor([[0, 1], [1, 0]])
    coefficients, seen = vaccinated(drawn @ drawn.T, torch.full((2, 2), target, dtype=torch.float64), order)
    turned = coefficients @ drawn
    cosine = torch.nn.functional.cosine_similarity
    assert float(seen[0, 1]) == pytest.approx(float(cosine(drawn[0], drawn[1], dim=0)))
    assert float(seen[0, 1]) < target
    for mine, other in ((0, 1), (1, 0)):
        assert float(cosine(turned[mine], drawn[other], dim=0)) == pytest.approx(target)


def test_gradvac_with_zero_target_similarity_is_gradient_surgery() -> None:
    drawn = gradients(1)
    gram = drawn @ drawn.T
    order = random_orders(gram, seeded_generator(3))
    torch.testing.assert_close(vaccinated(gram, torch.zeros_like(gram), order)[0], projected(gram, order))


@pytest.mark.parametrize(("tasks", "growth"), [(10, 3.6), (50, 1120.0)])
def test_gradvac_lengthens_unrelated_gradients_of_many_tasks_beyond_use(tasks: int, growth: float) -> None:
    """Towards an average cosine of .5, by one rotation for each other task: why it diverges with fifty."""
    generator = seeded_generator(0)
    drawn = torch.randn(tasks, 500, generator=generator, dtype=torch.float64)
    gram, target = drawn @ drawn.T, torch.full((tasks, tasks), 0.5, dtype=torch.float64)
    rotated = vaccinated(gram, target, random_orders(gram, generator))[0] @ drawn
    assert float((rotated.norm(dim=1) / drawn.norm(dim=1)).max()) == pytest.approx(growth, rel=0.02)


def test_gradvac_remembers_the_cosines_it_met() -> None:
    shared, vaccine = nn.Parameter(torch.zeros(2)), made("gradvac", 3, gradvac_rate=0.5)
    rows = [[1.0, 0.0], [1.0, 1.0]]
    vaccine(linear_losses(rows, shared), sides(shared, task=torch.tensor([2, 0])))
    half = 0.5 * 2.0**-0.5
    expected = torch.zeros(3, 3)
    expected[0, 2] = expected[2, 0] = half
    torch.testing.assert_close(vaccine.cosines[0], expected)


@pytest.mark.parametrize("draw", DRAWN)
@pytest.mark.parametrize("size", [1.0, 1e4])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_quadratic_over_nonnegative_numbers_is_solved(seed: int, size: float, draw: Draw) -> None:
    """At the minimum either a number is zero and the slope points inwards, or the slope is zero."""
    gram, _ = cosines_and_norms(draw(seed) @ draw(seed).T)
    linear = -size * gram
    linear[0, 0] = -1.0
    found = nonnegative_minimum(gram, linear)
    slope = found @ gram - linear
    assert float(found.min()) >= 0.0
    assert float(torch.minimum(found, slope).abs().max()) < 1e-5 * size
