"""Codes of tasks as distributions: sampled to learn, their mean to act, the prior where nothing is known."""

from __future__ import annotations

import math

import pytest
import torch

from agents.base import seeded_generator
from agents.encoders.bayesian import BayesianEncoder


def encoder(weight: float = 0.5) -> BayesianEncoder:
    return BayesianEncoder(2, 3, 4, weight, seeded_generator(0))


def test_the_divergence_is_that_of_normal_distributions() -> None:
    made = encoder()
    normals = torch.distributions.Normal(made.mean, made.log_std.exp())
    standard = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    expected = torch.distributions.kl_divergence(normals, standard).sum(dim=-1)
    torch.testing.assert_close(made.divergence(), expected)
    torch.testing.assert_close(made.auxiliary_loss(), 0.5 * expected.mean())


def test_codes_are_sampled_where_gradients_are_taken_and_their_mean_elsewhere() -> None:
    made, obs = encoder(), torch.zeros(3, 5, 2)
    made.generator = seeded_generator(1)
    with torch.no_grad():
        made.log_std.fill_(math.log(0.5))
        torch.testing.assert_close(made(obs)[:, 0, 2:], made.mean)
    samples = torch.stack([made(obs)[:, 0, 2:] for _ in range(2000)])
    torch.testing.assert_close(samples.std(dim=0), torch.full((3, 4), 0.5), atol=0.05, rtol=0)
    torch.testing.assert_close(samples.mean(dim=0), made.mean, atol=0.06, rtol=0)


def test_codes_of_new_tasks_are_the_prior() -> None:
    made = encoder()
    with torch.no_grad():
        assert (made.inspect(torch.zeros(3, 1, 2))["code_std"] < 0.2).all()
        made.set_tasks(torch.zeros(5, 0))
        assert made(torch.zeros(5, 1, 2)).shape == (5, 1, 6)
        assert made.divergence().tolist() == pytest.approx([0.0] * 5)
