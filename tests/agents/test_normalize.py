"""Running scales against NumPy on everything they saw, and against sums made by hand."""

from __future__ import annotations

import pytest
import torch

from agents.normalize import ObsScale, ReturnScale, Unscaled
from tests.agents.conftest import MakeAgent, random_batch


def test_moments_seen_piece_by_piece_are_those_of_all_rows() -> None:
    generator = torch.Generator().manual_seed(0)
    pieces = [torch.randn(3, n, 4, generator=generator) * 5 + 100 for n in (1, 7, 2)]
    scale = ObsScale(4)
    for piece in pieces:
        scale.observe(piece)
    rows = torch.cat([piece.reshape(-1, 4) for piece in pieces]).double()
    torch.testing.assert_close(scale.mean, rows.mean(0))
    torch.testing.assert_close(scale.square / scale.count, rows.var(0, unbiased=False))
    out = scale(torch.cat([piece.reshape(1, -1, 4) for piece in pieces], dim=1))
    torch.testing.assert_close(out.mean(1), torch.zeros(1, 4), atol=1e-4, rtol=0)
    torch.testing.assert_close(out.std(1, unbiased=False), torch.ones(1, 4), atol=1e-4, rtol=0)


def test_a_number_that_never_changes_becomes_zero_and_a_wild_one_is_cut() -> None:
    scale = ObsScale(2, limit=3.0)
    scale.observe(torch.tensor([[[7.0, -1.0], [7.0, 1.0]]]))
    assert scale(torch.tensor([[[7.0, 50.0]]]))[0, 0].tolist() == [0.0, 3.0]


def test_before_anything_is_seen_observations_pass() -> None:
    assert ObsScale(2)(torch.tensor([[[1.0, -2.0]]]))[0, 0].tolist() == [1.0, -2.0]


def test_rewards_are_scaled_by_each_tasks_largest_discounted_return() -> None:
    """Discount 0.5. Task 0: rewards 1, 1 -> 1, 1.5; task 1: -4 and an end, then 2 -> 4 at most, not 0.5 * -4 + 2."""
    scale = ReturnScale(2, discount=0.5, v_max=10.0)
    scale.observe(torch.tensor([[1.0], [-4.0]]), torch.tensor([[False], [True]]))
    scale.observe(torch.tensor([[1.0], [2.0]]), torch.tensor([[False], [False]]))
    assert scale.largest.tolist() == [1.5, 4.0]
    assert scale.running.tolist() == [[1.5], [2.0]]
    scaled = scale(torch.tensor([[3.0, 1.5], [4.0, -2.0]]))
    assert scaled.flatten().tolist() == pytest.approx([20.0, 10.0, 10.0, -5.0])


def test_the_largest_returns_stay_in_their_place() -> None:
    """A captured update reads them there; also where only some tasks are observed."""
    scale = ReturnScale(2, discount=0.5, v_max=10.0)
    place, going = scale.largest, torch.tensor([[False]])
    scale.observe(torch.tensor([[1.0], [2.0]]), going.expand(2, 1))
    scale.observe(torch.tensor([[5.0]]), going, torch.tensor([1]))
    assert scale.largest is place
    assert place.tolist() == [1.0, 5.0]


def test_a_task_without_any_reward_yet_is_left_alone() -> None:
    scale = ReturnScale(1, 0.9, 10.0)
    scale.observe(torch.zeros(1, 2), torch.zeros(1, 2, dtype=torch.bool))
    assert scale(torch.tensor([[2.0]])).item() == 2.0


def test_unscaled_learns_nothing_and_changes_nothing() -> None:
    values = torch.tensor([1.0])
    Unscaled().observe(values)
    assert Unscaled()(values) is values


def test_each_task_has_its_own_moments_if_requested() -> None:
    pieces = [torch.randn(2, n, 3, generator=torch.Generator().manual_seed(n)) * 3 + 7 for n in (2, 5)]
    pooled, own = ObsScale(3), ObsScale(3, tasks=2)
    for piece in pieces:
        pooled.observe(piece[1:])
        own.observe(piece)
    rows = torch.cat(pieces, dim=1)
    torch.testing.assert_close(own(rows)[1], pooled(rows[1:])[0])
    torch.testing.assert_close(own(rows[1:], torch.tensor([1])), pooled(rows[1:]))
    torch.testing.assert_close(own.mean[0, 0], rows[0].double().mean(0))


@pytest.mark.parametrize(("scale", "same"), [("return", True), ("none", False)])
def test_the_unit_of_one_tasks_rewards_does_not_matter_to_an_agent_that_scales_by_returns(
    make_agent: MakeAgent, scale: str, same: bool
) -> None:
    learned = []
    for factor in (1.0, 100.0):
        agent, unit = make_agent("mtsac", reward_scale=scale), torch.tensor([[1.0], [factor], [1.0]])
        for step in range(5):
            batch = random_batch(3, 16, 4, 2, seed=step)
            batch = batch._replace(reward=batch.reward * unit)
            agent.observe(batch.obs, batch.reward, batch.terminated > 0)
            agent.update(batch)
        learned.append(torch.cat([parameter.detach().flatten() for parameter in agent.parameters()]))
    assert torch.allclose(*learned, atol=1e-4) is same
