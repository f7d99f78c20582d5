"""The squashed Gaussian against numbers worked out by hand and against torch's own distributions."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform

from agents.gaussian import LOG_STD_RANGE, split_head, squash


def test_log_probability_by_hand() -> None:
    # u = 0.5 + 2 * 0.25 = 1; log N = -0.25**2 / 2 - log 2 - log(2 pi) / 2; log |da/du| = log(1 - tanh(1)**2)
    action, log_prob = squash(
        torch.tensor([0.5]), torch.tensor([math.log(2.0)]), torch.tensor([0.25]), torch.tensor([1.0])
    )
    expected = -0.03125 - math.log(2.0) - 0.5 * math.log(2 * math.pi) - math.log(1 - math.tanh(1.0) ** 2)
    assert action.item() == pytest.approx(math.tanh(1.0))
    assert log_prob.item() == pytest.approx(expected, abs=1e-6)


def test_log_probability_is_torchs_tanh_normal() -> None:
    generator = torch.Generator().manual_seed(0)
    mean, log_std, noise = (torch.randn(50, 3, generator=generator, dtype=torch.float64) for _ in range(3))
    action, log_prob = squash(mean, log_std, noise, torch.ones(3))
    reference = TransformedDistribution(Normal(mean, log_std.exp()), [TanhTransform(cache_size=1)])
    inside = action.abs().amax(dim=1) < 0.999
    torch.testing.assert_close(log_prob[inside], reference.log_prob(action).sum(dim=-1)[inside], atol=1e-6, rtol=1e-6)


def test_log_probability_stays_finite_where_the_action_saturates() -> None:
    action, log_prob = squash(torch.tensor([40.0]), torch.tensor([0.0]), torch.tensor([1.0]), torch.tensor([1.0]))
    assert action.item() == 1.0
    assert math.isfinite(log_prob.item())


def test_masked_dimensions_neither_act_nor_count() -> None:
    mean, log_std, noise = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(1))
    action, log_prob = squash(mean, log_std, noise, torch.tensor([1.0, 0.0]))
    _, alone = squash(mean[:, :1], log_std[:, :1], noise[:, :1], torch.tensor([1.0]))
    assert torch.equal(action[:, 1], torch.zeros(4))
    torch.testing.assert_close(log_prob, alone)


def test_log_std_stays_in_its_range() -> None:
    _, log_std = split_head(torch.tensor([0.0, 0.0, -1e9, 1e9]))
    assert log_std.tolist() == list(LOG_STD_RANGE)
