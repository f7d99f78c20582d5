"""The measures by hand, and properties that must hold."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from agents.base import seeded_generator
from agents.diagnostics.measures import (
    conflict_rate,
    cosines,
    dormant,
    effective_rank,
    mutual_information,
    per_task_gradients,
    soft_returns,
)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=seeded_generator(0))


def test_gradients_are_each_tasks_own_and_leave_no_trace() -> None:
    """Loss t is (t + 1) (3 a + b^2 / 2) at a = 1, b = 2: gradients (t + 1) (3, 2); c takes no part."""
    a, b, c = (nn.Parameter(torch.tensor([value])) for value in (1.0, 2.0, 5.0))
    losses, gradients = per_task_gradients(lambda t: (t + 1) * (3 * a + b.square() / 2).sum(), 2, [a, b, c])
    assert losses.tolist() == [5.0, 10.0]
    assert gradients.tolist() == [[3.0, 2.0, 0.0], [6.0, 4.0, 0.0]]
    assert not losses.requires_grad
    assert a.grad is None


def test_cosines_by_hand() -> None:
    cosine = cosines(torch.tensor([[1.0, 0.0], [3.0, 4.0], [-2.0, 0.0], [0.0, 0.0]]))
    assert cosine[0, :3].tolist() == pytest.approx([1.0, 0.6, -1.0])
    assert cosine[1, 2].item() == pytest.approx(-0.6)
    assert cosine[3].isnan().all()


def test_cosines_ignore_lengths_and_follow_a_permutation() -> None:
    vectors, order = noise(5, 30), torch.tensor([3, 0, 4, 1, 2])
    cosine = cosines(vectors)
    torch.testing.assert_close(cosine, cosine.T)
    torch.testing.assert_close(cosines(vectors * torch.tensor([[0.01], [1.0], [7.0], [300.0], [2.0]])), cosine)
    torch.testing.assert_close(cosines(vectors[order]), cosine[order][:, order])


def test_conflicts_are_counted_among_the_others_that_are_known() -> None:
    cosine = torch.tensor(
        [[1.0, -0.1, 0.5, -0.2], [-0.1, 1.0, 0.0, 0.3], [0.5, 0.0, 1.0, -0.9], [-0.2, 0.3, -0.9, 1.0]]
    )
    assert conflict_rate(cosine).tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 3, 2 / 3])
    cosine[0, 1] = cosine[1, 0] = torch.nan
    assert conflict_rate(cosine).tolist() == pytest.approx([1 / 2, 0, 1 / 3, 2 / 3])
    assert conflict_rate(torch.full((2, 2), torch.nan)).isnan().all()


def test_attention_determines_the_task_fully_partly_or_not_at_all() -> None:
    assert mutual_information(torch.eye(3)).item() == pytest.approx(math.log(3))
    assert mutual_information(torch.tensor([[0.2, 0.8]] * 3)).item() == pytest.approx(0.0, abs=1e-6)
    part = torch.tensor([[0.75, 0.25], [0.25, 0.75]])
    assert mutual_information(part).item() == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))


def test_an_unused_encoder_adds_no_information() -> None:
    used = torch.tensor([[0.75, 0.25, 0.0], [0.25, 0.75, 0.0]])
    torch.testing.assert_close(mutual_information(used), mutual_information(used[:, :2]))


def test_dormant_units_by_hand() -> None:
    """Mean absolute outputs 2, 1 and .02: their mean is 1.0067, so that only the last lies at or below .025 of it."""
    units = torch.tensor([[[3.0, -1.0, 0.02], [-1.0, 1.0, 0.02]]])
    assert dormant(units).tolist() == [[False, False, True]]
    assert dormant(units, tau=0.01).tolist() == [[False, False, False]]
    assert dormant(units * 1000).tolist() == [[False, False, True]]


def test_a_layer_of_zeros_is_dormant_and_another_networks_layer_is_not() -> None:
    units = torch.stack([torch.zeros(4, 3), torch.ones(4, 3)])
    assert dormant(units).tolist() == [[True] * 3, [False] * 3]


def test_effective_rank_by_hand() -> None:
    """Singular values 3 and 1, shares 3/4 and 1/4; equal ones count whole; one direction counts as one."""
    skewed = torch.diag(torch.tensor([3.0, 1.0]))
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    line = torch.outer(torch.arange(1.0, 3.0), torch.tensor([1.0, 2.0]))
    ranks = effective_rank(torch.stack([skewed, torch.eye(2), line])).tolist()
    assert ranks == pytest.approx([math.exp(entropy), 2.0, 1.0], abs=1e-4)


def test_effective_rank_knows_neither_scale_nor_rotation_nor_the_order_of_rows() -> None:
    features = noise(1, 40, 8)
    turn = torch.linalg.qr(noise(8, 8))[0]
    torch.testing.assert_close(
        effective_rank(5 * features[:, torch.arange(39, -1, -1)] @ turn), effective_rank(features)
    )
    assert 7.0 < effective_rank(features).item() < 8.0


def test_features_that_are_not_finite_have_no_rank() -> None:
    features = noise(2, 10, 4)
    features[0, 3, 2] = torch.inf
    assert effective_rank(features).isnan().tolist() == [True, False]


def test_soft_returns_by_hand() -> None:
    """Three steps of reward 1, 2, 4, discount 1/2, a bonus of .2 at every successor and critics that predict 10."""
    reward, bonus, value = torch.tensor([1.0, 2.0, 4.0]), torch.full((3,), 0.2), torch.full((3,), 10.0)
    on, no_end = torch.tensor([1.0, 1.0, 0.0]), torch.zeros(3)
    third = 4 + 0.5 * 10.2  # the steps end there: the rest is what the critics predict
    second = 2 + 0.5 * (0.2 + third)
    assert soft_returns(reward, bonus, no_end, on, value, 0.5).tolist() == pytest.approx(
        [1 + 0.5 * (0.2 + second), second, third]
    )
    ended = torch.tensor([0.0, 1.0, 0.0])  # for good, at the second step
    assert soft_returns(reward, bonus, ended, on, value, 0.5).tolist() == pytest.approx([1 + 0.5 * 2.2, 2.0, third])
    cut = torch.tensor([1.0, 0.0, 0.0])  # truncated there
    second = 2 + 0.5 * 10.2
    assert soft_returns(reward, bonus, no_end, cut, value, 0.5).tolist() == pytest.approx(
        [1 + 0.5 * (0.2 + second), second, third]
    )
