"""FiLM against its formula, and its initial state."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from agents.base import seeded_generator
from agents.encoders.context import ContextNetwork
from agents.encoders.film import FiLMEncoder


def encoder(hidden: tuple[int, ...] = (5,)) -> FiLMEncoder:
    init = seeded_generator(0)
    context = ContextNetwork(torch.eye(3), True, (6,), 4, init)
    return FiLMEncoder(2, hidden, 3, context, 4, True, init)


def test_all_tasks_start_with_the_same_encoder() -> None:
    obs = torch.randn(1, 7, 2, generator=seeded_generator(1)).expand(3, -1, -1)
    z = encoder()(obs)
    assert z.shape == (3, 7, 3)
    assert torch.equal(z[0], z[1])
    assert torch.equal(z[0], z[2])


def test_features_are_scaled_and_shifted_by_the_tasks_context() -> None:
    """The formula for one task, with torch's own functions."""
    film, task = encoder(), 1
    with torch.no_grad():
        film.film.weight.normal_(generator=seeded_generator(2))
        film.film.bias.normal_(generator=seeded_generator(3))
    obs = torch.randn(3, 7, 2, generator=seeded_generator(1))
    numbers = film.context()[task] @ film.film.weight[0] + film.film.bias[0, 0]
    gamma, beta = numbers.chunk(2)
    first, last = film.layers
    x = F.layer_norm(obs[task] @ first.weight[0] + first.bias[0], (5,))
    x = F.relu((1 + gamma[:5]) * x + beta[:5])
    x = (1 + gamma[5:]) * (x @ last.weight[0] + last.bias[0]) + beta[5:]
    torch.testing.assert_close(film(obs)[task], x)
    some = torch.tensor([1, 0, 1])
    torch.testing.assert_close(film(obs[some], some), film(obs)[some])


def test_each_task_has_its_learned_row_and_shares_the_rest() -> None:
    film = encoder()
    assert [p.shape for p in film.own_parameters()] == [(3, 4)]
    assert len(film.shared_parameters()) + 1 == len(list(film.parameters()))
