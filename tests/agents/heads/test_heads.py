"""Value heads against numbers worked out by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from agents.build import MAX_SCALED_RETURN
from agents.heads.categorical import BINS, V_MAX, CategoricalHead
from agents.heads.scalar import ScalarHead

CPU = torch.device("cpu")


def test_a_scalar_head_takes_the_lesser_critic_or_their_mean() -> None:
    out = torch.tensor([[[[3.0]]], [[[5.0]]]])  # (E=2, T=1, N=1, 1)
    assert ScalarHead("min").value(out).item() == 3.0
    assert ScalarHead("mean").value(out).item() == 4.0
    shift, scale = torch.tensor([[1.0]]), torch.tensor([[0.5]])
    assert ScalarHead("min").target(out, shift, scale).item() == 2.5
    assert ScalarHead("mean").losses(out, torch.tensor([[1.0]])).item() == (3 - 1) ** 2 + (5 - 1) ** 2


def test_a_categorical_head_reads_the_mean_of_its_distribution() -> None:
    head = CategoricalHead(3, 2.0, CPU)  # bins -2, 0, 2
    sure = torch.tensor([-30.0, -30.0, 30.0])
    unsure = torch.zeros(3)
    out = torch.stack([sure, unsure])[:, None, None, :]
    assert head.value(out).item() == pytest.approx((2.0 + 0.0) / 2)
    assert CategoricalHead(3, 2.0, CPU, "min").value(out).item() == pytest.approx(0.0, abs=1e-6)


def test_a_categorical_target_is_a_narrow_gaussian_around_the_scalar_one() -> None:
    """Bins -2, 0, 2, spread 1.5: around 0.5 + 0.25 * 2 = 1 the mass between edges -3, -1, 1, 3, made to sum to 1."""
    head = CategoricalHead(3, 2.0, CPU)
    next_out = torch.tensor([-30.0, -30.0, 30.0]).expand(2, 1, 1, 3)
    target = head.target(next_out, torch.tensor([[0.5]]), torch.tensor([[0.25]]))
    cdf = [0.5 * (1 + math.erf((edge - 1.0) / (1.5 * math.sqrt(2)))) for edge in (-3.0, -1.0, 1.0, 3.0)]
    mass = [b - a for a, b in pairwise(cdf)]
    assert target[0, 0].tolist() == pytest.approx([m / sum(mass) for m in mass], abs=1e-5)


def test_a_categorical_target_has_the_scalar_targets_mean_and_is_cut_at_the_reach() -> None:
    head = CategoricalHead(101, 10.0, CPU)
    shift = torch.tensor([[-3.33, 0.05, 7.0, 25.0]])
    target = head.target(torch.zeros(2, 1, 4, 101), shift, torch.zeros(1, 4))
    assert target.sum(-1) == pytest.approx(1.0)
    mean = (target @ torch.linspace(-10, 10, 101))[0].tolist()
    assert mean[:3] == pytest.approx([-3.33, 0.05, 7.0], abs=1e-3)
    assert mean[3] == pytest.approx(10.0, abs=0.2)


def test_the_largest_scaled_return_still_has_room_for_its_gaussian() -> None:
    head = CategoricalHead(BINS, V_MAX, CPU)
    values = torch.tensor([[MAX_SCALED_RETURN - 0.1, MAX_SCALED_RETURN, V_MAX]])
    mean = (head.target(torch.zeros(2, 1, 3, BINS), values, torch.zeros(1, 3)) @ torch.linspace(-V_MAX, V_MAX, BINS))[0]
    assert mean[:2].tolist() == pytest.approx([MAX_SCALED_RETURN - 0.1, MAX_SCALED_RETURN], abs=1e-4)
    assert mean[2] < V_MAX - 0.05  # at the edge there is none


def test_the_categorical_loss_is_least_at_the_target_and_summed_over_critics() -> None:
    head = CategoricalHead(3, 2.0, CPU)
    target = torch.tensor([[[0.2, 0.3, 0.5]]])
    entropy = -(target * target.log()).sum()
    right = target.log().expand(2, 1, 1, 3)
    assert head.losses(right, target)[0].item() == pytest.approx(2 * entropy.item(), rel=1e-5)
    assert head.losses(right + torch.tensor([0.5, 0.0, 0.0]), target)[0] > 2 * entropy


def test_values_keep_their_digits_where_matrix_products_are_reduced() -> None:
    head = CategoricalHead(101, 10.0, CPU)
    out = torch.randn(2, 3, 50, 101, generator=torch.Generator().manual_seed(0))
    expected = head.value(out)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(head.value(out), expected)
