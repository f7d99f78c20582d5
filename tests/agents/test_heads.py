"""Value heads against numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch

from agents.heads import CategoricalHead, ScalarHead, project

CPU = torch.device("cpu")


def test_a_scalar_head_takes_the_lesser_critic_or_their_mean() -> None:
    out = torch.tensor([[[[3.0]]], [[[5.0]]]])  # (E=2, T=1, N=1, 1)
    assert ScalarHead("min").value(out).item() == 3.0
    assert ScalarHead("mean").value(out).item() == 4.0
    shift, scale = torch.tensor([[1.0]]), torch.tensor([[0.5]])
    assert ScalarHead("min").target(out, shift, scale).item() == 2.5
    assert ScalarHead("mean").losses(out, torch.tensor([[1.0]])).item() == (3 - 1) ** 2 + (5 - 1) ** 2


def test_a_value_between_two_bins_is_shared_by_nearness() -> None:
    """Bins at -1, 0, 1: 0.25 lies a quarter of the way from 0 to 1; what lies outside counts as the outermost."""
    probabilities = torch.tensor([[0.5, 0.3, 0.2]])
    values = torch.tensor([[0.25, -7.0, 1.0]])
    assert project(probabilities, values, 1.0)[0].tolist() == pytest.approx([0.3, 0.375, 0.125 + 0.2])


def test_projection_keeps_the_mass_and_within_reach_the_mean() -> None:
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.rand(4, 5, 11, generator=generator).softmax(dim=-1)
    values = torch.rand(4, 5, 11, generator=generator) * 20 - 10
    out = project(probabilities, values, 10.0)
    torch.testing.assert_close(out.sum(-1), torch.ones(4, 5))
    support = torch.linspace(-10, 10, 11)
    torch.testing.assert_close(out @ support, (probabilities * values).sum(-1), atol=1e-4, rtol=1e-4)


def test_a_categorical_head_reads_the_mean_of_its_distribution() -> None:
    head = CategoricalHead(3, 2.0, CPU)  # bins -2, 0, 2
    sure = torch.tensor([-30.0, -30.0, 30.0])
    unsure = torch.zeros(3)
    out = torch.stack([sure, unsure])[:, None, None, :]
    assert head.value(out).item() == pytest.approx((2.0 + 0.0) / 2)
    assert CategoricalHead(3, 2.0, CPU, "min").value(out).item() == pytest.approx(0.0, abs=1e-6)


def test_a_categorical_target_is_the_mapped_mean_distribution_of_both_critics() -> None:
    """Bins -2, 0, 2; both sure of 2: shift 0.5 + 0.25 * 2 = 1, half way from 0 to 2. An end leaves the shift alone."""
    head = CategoricalHead(3, 2.0, CPU)
    next_out = torch.tensor([-30.0, -30.0, 30.0]).expand(2, 1, 2, 3)
    target = head.target(next_out, torch.tensor([[0.5, -2.0]]), torch.tensor([[0.25, 0.0]]))
    assert target[0, 0].tolist() == pytest.approx([0.0, 0.5, 0.5], abs=1e-5)
    assert target[0, 1].tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-5)


def test_the_categorical_loss_is_least_at_the_target_and_summed_over_critics() -> None:
    head = CategoricalHead(3, 2.0, CPU)
    target = torch.tensor([[[0.2, 0.3, 0.5]]])
    entropy = -(target * target.log()).sum()
    right = target.log().expand(2, 1, 1, 3)
    assert head.losses(right, target)[0].item() == pytest.approx(2 * entropy.item(), rel=1e-5)
    assert head.losses(right + torch.tensor([0.5, 0.0, 0.0]), target)[0] > 2 * entropy
