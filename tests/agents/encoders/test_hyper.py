"""A layer whose weights the context generates, against its formula."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from agents.base import seeded_generator
from agents.encoders.context import ContextNetwork
from agents.encoders.hyper import HyperEncoder


def encoder(obs: int = 2, hidden: int = 5) -> HyperEncoder:
    init = seeded_generator(0)
    return HyperEncoder(obs, hidden, 3, ContextNetwork(torch.eye(3), True, (6,), 4, init), 4, True, init)


def test_the_context_generates_weights_and_biases() -> None:
    made, obs, task = encoder(), torch.randn(3, 7, 2, generator=seeded_generator(1)), 1
    generated = (made.context()[task] @ made.writer.weight[0] + made.writer.bias[0, 0]).view(3, 5)
    x = obs[task] @ generated[:2] + generated[2]
    x = F.relu(F.layer_norm(x, (5,)))
    torch.testing.assert_close(made(obs)[task], x @ made.last.weight[0] + made.last.bias[0])
    some = torch.tensor([1, 0, 1])
    torch.testing.assert_close(made(obs[some], some), made(obs)[some])


def test_generated_weights_start_at_the_scale_of_a_linear_layer() -> None:
    made = encoder(obs=16, hidden=64)
    generated = made.writer(made.context()[None])[0]
    reference = torch.nn.Linear(16, 64).weight.std()
    torch.testing.assert_close(generated.std(dim=1), reference.detach().expand(3), rtol=0.15, atol=0)
    assert (generated[0] - generated[1]).std() < 0.2 * reference
