"""Weights of losses: given ones by hand, and the values that learned ones reach."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from agents.base import seeded_generator
from agents.registry.spec import RegistryError
from tests.agents.aggregators.made import linear_losses, made, sides
from tests.agents.conftest import MakeAgent, random_batch

IDENTITY = [[1.0, 0.0], [0.0, 1.0]]


def pulls(aggregate: Any, losses: Tensor, shared: nn.Parameter, **of: Any) -> list[float]:
    shared.grad = None
    aggregate(losses, sides(shared, **of))
    assert shared.grad is not None
    return shared.grad.tolist()


def test_given_weights_multiply_the_losses_of_their_tasks() -> None:
    shared, weighted = nn.Parameter(torch.zeros(2)), made("weighted", 3, task_weights=(1.0, 0.0, 4.0))
    losses = linear_losses(IDENTITY, shared)
    assert pulls(weighted, losses, shared, task=torch.tensor([2, 0])) == [2.0, 0.5]
    assert weighted.metrics()["critic_task_weight"].tolist() == [1.0, 0.0, 4.0]


def test_inverse_size_gives_equal_influence_to_tasks_that_are_drawn_by_their_size() -> None:
    """Three entries of the task with three times the data pull together as one of the other."""
    shared, inverse = nn.Parameter(torch.zeros(2)), made("inverse-size", 2, task_sizes=(30.0, 10.0))
    losses = linear_losses([IDENTITY[0]] * 3 + [IDENTITY[1]], shared)
    first, second = pulls(inverse, losses, shared, task=torch.tensor([0, 0, 0, 1]))
    assert first == pytest.approx(second)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("weighted", {"task_weights": (1.0, 2.0)}, "--task-weights has 2 numbers for 3 tasks"),
        ("weighted", {"task_weights": (0.0, 0.0, 0.0)}, "--task-weights are all 0"),
        ("inverse-size", {"task_sizes": (1.0,)}, "--task-sizes has 1 numbers for 3 tasks"),
    ],
)
def test_weights_that_fit_no_task_are_refused(name: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        made(name, 3, **settings)


def test_a_masked_loss_says_nothing_of_a_tasks_noise() -> None:
    shared, uncertainty = nn.Parameter(torch.ones(2)), made("uncertainty", 2)
    pulls(uncertainty, torch.where(torch.tensor([True, False]), 2.0 * shared, torch.zeros(2)), shared)
    assert uncertainty.log_variance.grad.tolist() == [-0.5, 0.0]  # (1 - loss) / tasks, and nothing


def test_uncertainty_finds_the_task_whose_reward_is_noise(make_agent: MakeAgent) -> None:
    """Two tasks have no reward, one has unpredictable noise: it ends with by far the smallest weight."""
    agent = make_agent("mtsac", aggregator="uncertainty", discount=0.1, learning_rate=2e-2, final_learning_rate=2e-2)
    noise = 3.0 * torch.randn(150, 16, generator=seeded_generator(1))
    for step in range(150):
        batch = random_batch(3, 16, 4, 2, seed=step)
        metrics = agent.update(batch._replace(reward=torch.stack([0.0 * noise[step], noise[step], 0.0 * noise[step]])))
    weights = metrics["critic_task_weight"]
    assert float(weights[1]) < 0.2 * float(weights[[0, 2]].min())
    assert metrics["actor_task_weight"].tolist() == [1.0, 1.0, 1.0]


def test_uncertainty_learns_the_logarithm_of_the_loss() -> None:
    shared, uncertainty = nn.Parameter(torch.ones(1)), made("uncertainty", 2)
    optimizer = torch.optim.Adam(uncertainty.parameters(), lr=0.1)
    for _ in range(500):
        optimizer.zero_grad()
        uncertainty(linear_losses([[0.1], [100.0]], shared), sides(shared))
        optimizer.step()
    torch.testing.assert_close(uncertainty.log_variance.detach(), torch.tensor([0.1, 100.0]).log(), atol=5e-2, rtol=0.0)


def test_gradnorm_makes_gradients_equally_long_when_one_loss_is_a_hundred_times_as_large() -> None:
    shared, gradnorm = nn.Parameter(torch.ones(2)), made("gradnorm", 2, gradnorm_alpha=0.0, gradnorm_rate=0.2)
    for _ in range(200):
        found = pulls(gradnorm, linear_losses([[1.0, 0.0], [0.0, 100.0]], shared), shared)
    assert found[0] == pytest.approx(found[1], rel=1e-3)
    assert float(gradnorm.metrics()["critic_task_weight"].sum()) == pytest.approx(1.0)


def test_gradnorm_lengthens_the_gradient_of_the_task_that_trains_more_slowly() -> None:
    """Its loss is still what it was, the other's a quarter: rates 1.6 and 0.4, a ratio of 4, or 2 at alpha one half."""
    shared, gradnorm = nn.Parameter(torch.ones(2)), made("gradnorm", 2, gradnorm_alpha=0.5, gradnorm_rate=0.2)
    gradnorm(linear_losses(IDENTITY, shared), sides(shared))
    for _ in range(200):
        losses = torch.stack([shared[0], shared[1] - 0.75])
        found = pulls(gradnorm, losses, shared)
    assert found[0] / found[1] == pytest.approx(2.0, rel=1e-2)


def test_dwa_does_not_average_masked_losses() -> None:
    shared, dwa = nn.Parameter(torch.ones(2)), made("dwa", 2, dwa_every=2)
    for update in range(4):
        kept = torch.tensor([True, update < 3])
        pulls(dwa, torch.where(kept, shared.square(), torch.zeros(2)), shared)
    assert dwa.averages.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert dwa.metrics()["critic_task_weight"].tolist() == [1.0, 1.0]


def test_dwa_weighs_by_the_ratio_of_the_last_two_mean_losses() -> None:
    """Mean losses go from (4, 4) to (4, 2): ratios 1 and 0.5, at temperature 0.5 a softmax of (2, 1)."""
    shared, dwa = nn.Parameter(torch.ones(2)), made("dwa", 2, dwa_every=2, dwa_temperature=0.5)
    for rows in ([[3.0, 0.0], [0.0, 3.0]], [[5.0, 0.0], [0.0, 5.0]], [[4.0, 0.0], [0.0, 2.0]]):
        dwa(linear_losses(rows, shared), sides(shared))
        assert dwa.metrics()["critic_task_weight"].tolist() == [1.0, 1.0]
    dwa(linear_losses([[4.0, 0.0], [0.0, 2.0]], shared), sides(shared))
    expected = 2.0 * torch.softmax(torch.tensor([2.0, 1.0]), dim=0)
    torch.testing.assert_close(dwa.metrics()["critic_task_weight"], expected)
    dwa(linear_losses(IDENTITY, shared), sides(shared, role="actor"))
    torch.testing.assert_close(dwa.metrics()["actor_task_weight"], expected)


def test_famo_weighs_log_losses_equally() -> None:
    """The gradient of log L is that of L over L, whatever L's unit."""
    shared, famo = nn.Parameter(torch.ones(2)), made("famo", 2)
    first, second = pulls(famo, linear_losses([[1.0, 0.0], [0.0, 100.0]], shared), shared)
    assert first == pytest.approx(second)


def test_famo_shifts_weight_to_the_task_that_falls_behind() -> None:
    shared, famo = nn.Parameter(torch.ones(2)), made("famo", 2, famo_decay=0.0)
    optimizer = torch.optim.Adam(famo.parameters(), lr=0.05)
    for step in range(30):
        optimizer.zero_grad()
        falling = torch.stack([shared[0] * 0.9**step, shared[1]])
        famo(falling, sides(shared))
        optimizer.step()
    share = torch.softmax(famo.logits.detach(), dim=0)
    assert float(share[1]) > 0.7


@pytest.mark.parametrize("name", ["gradnorm", "dwa", "famo", "gradvac", "nash-mtl", "uncertainty"])
def test_what_an_aggregator_learned_is_in_its_state(name: str) -> None:
    """What an aggregator knows after some updates, another takes over: both then give the same gradient."""
    one, other = made(name, 3), made(name, 3)
    shared, drawn = nn.Parameter(torch.ones(4)), torch.rand(8, 3, 4, generator=seeded_generator(0))
    optimizer = torch.optim.SGD([*one.parameters(), nn.Parameter(torch.zeros(()))], 0.1)
    for rows in drawn[:5]:
        one(linear_losses(rows.tolist(), shared), sides(shared))
        optimizer.step()
    learned = {key: value.clone() for key, value in one.state_dict().items()}
    assert any(not torch.equal(value, learned[key]) for key, value in other.state_dict().items())
    other.load_state_dict(learned)
    found = [pulls(aggregate, linear_losses(drawn[5].tolist(), shared), shared) for aggregate in (one, other)]
    assert found[0] == found[1]
    for key, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[key])


def test_a_task_that_is_drawn_alone_keeps_its_weight() -> None:
    """Tasks that a sampler leaves out must not let the weight of the others decay."""
    shared, gradnorm = nn.Parameter(torch.ones(1)), made("gradnorm", 3)
    pulls(gradnorm, linear_losses([[5.0]], shared), shared, task=torch.tensor([0]))
    for _ in range(200):
        pulls(gradnorm, linear_losses([[1.0]], shared), shared, task=torch.tensor([0]))
    assert gradnorm.metrics()["critic_task_weight"][0].item() == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["famo", "imtl", "mgda"])
def test_a_masked_task_leaves_the_others_as_they_would_be_without_it(name: str) -> None:
    """PaCo sets the loss of a task that explodes to 0."""
    shared, rows = nn.Parameter(torch.ones(2)), [[3.0, 1.0], [1.0, 2.0], [0.0, 0.0]]
    without = torch.tensor(pulls(made(name, 2), linear_losses(rows[:2], shared), shared))
    masked = torch.tensor(pulls(made(name, 3), linear_losses(rows, shared), shared))
    torch.testing.assert_close(masked, without, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["famo", "imtl", "mgda"])
def test_where_all_tasks_are_masked_nothing_moves(name: str) -> None:
    shared = nn.Parameter(torch.ones(2))
    assert pulls(made(name, 2), linear_losses([[0.0, 0.0]] * 2, shared), shared) == [0.0, 0.0]
