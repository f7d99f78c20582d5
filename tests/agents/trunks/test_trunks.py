"""Trunks and stacked layers equal the loops of plain layers that they replace."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from agents.base import seeded_generator
from agents.networks import StackedMLP, StackedResidual
from agents.registry.pieces import PIECES
from agents.trunks import TrunkShape
from agents.trunks.multi_head import MultiHeadTrunk
from agents.trunks.separate import SeparateTrunk
from agents.trunks.shared import SharedTrunk
from tests.agents.conftest import MakeAgent, random_batch


def shape_of(tasks: int, ensemble: int, size_in: int, hidden: tuple[int, ...], size_out: int) -> TrunkShape:
    """With layer norm, for tasks without context."""
    return TrunkShape(tasks, ensemble, size_in, hidden, size_out, True, context=torch.zeros(tasks, 0))


def by_hand(mlp: StackedMLP, group: int, x: Tensor) -> Tensor:
    """One of the stacked networks, layer by layer with torch's own functions."""
    for layer in mlp.layers[:-1]:
        x = F.linear(x, layer.weight[group].T, layer.bias[group, 0])
        x = F.relu(F.layer_norm(x, x.shape[-1:]) if mlp.layer_norm else x)
    last = mlp.layers[-1]
    return F.linear(x, last.weight[group].T, last.bias[group, 0])


@pytest.mark.parametrize("layer_norm", [True, False])
def test_stacked_networks_equal_separate_ones(layer_norm: bool) -> None:
    mlp = StackedMLP(3, 4, (8, 6), 2, seeded_generator(0), layer_norm)
    x = torch.randn(3, 5, 4, generator=seeded_generator(1))
    for group in range(3):
        torch.testing.assert_close(mlp(x)[group], by_hand(mlp, group, x[group]))


def test_a_shared_trunk_treats_all_tasks_equally() -> None:
    trunk = SharedTrunk(shape_of(3, 2, 4, (8,), 1), seeded_generator(0))
    x = torch.randn(3, 5, 4, generator=seeded_generator(1))
    out = trunk(x)
    assert out.shape == (2, 3, 5, 1)
    for member in range(2):
        torch.testing.assert_close(out[member], by_hand(trunk.mlp, member, x))


def test_a_separate_trunk_has_a_network_for_every_task() -> None:
    trunk = SeparateTrunk(shape_of(3, 2, 4, (8,), 1), seeded_generator(0))
    x = torch.randn(3, 5, 4, generator=seeded_generator(1))
    out = trunk(x)
    for member in range(2):
        for task in range(3):
            torch.testing.assert_close(out[member, task], by_hand(trunk.mlp, member * 3 + task, x[task]))


def test_heads_belong_to_tasks_and_the_body_to_all() -> None:
    trunk = MultiHeadTrunk(shape_of(3, 2, 4, (8, 6), 2), seeded_generator(0))
    x = torch.randn(1, 5, 4, generator=seeded_generator(1)).expand(3, -1, -1)
    out = trunk(x)
    assert out.shape == (2, 3, 5, 2)
    features = by_hand(trunk.body.mlp, 1, x[0])
    features = F.relu(F.layer_norm(features, (6,)))
    expected = F.linear(features, trunk.heads.weight[1 * 3 + 2].T, trunk.heads.bias[5, 0])
    torch.testing.assert_close(out[1, 2], expected)
    loss = out[:, 0].sum()
    loss.backward()
    grads = trunk.heads.weight.grad.view(2, 3, 6, 2)
    assert grads[:, 0].abs().sum() > 0
    assert grads[:, 1:].abs().sum() == 0


def test_a_residual_body_of_one_layer_is_a_linear_one_before_the_heads() -> None:
    shape = replace(shape_of(3, 2, 4, (8,), 2), network=StackedResidual)
    trunk = MultiHeadTrunk(shape, seeded_generator(0))
    plain = MultiHeadTrunk(shape_of(3, 2, 4, (8,), 2), seeded_generator(0))
    x = torch.randn(3, 5, 4, generator=seeded_generator(1))
    assert torch.equal(trunk(x), plain(x))


@pytest.mark.parametrize("name", sorted(PIECES["trunk"]))
def test_values_are_not_rounded_to_bfloat16_in_reduced_precision(make_agent: MakeAgent, name: str) -> None:
    """Near 300 bfloat16 has steps of 2, so that many states would have the same value."""
    agent = make_agent("mtsac", trunk=name, precision="bfloat16")
    batch = random_batch(3, 16, 4, 2)
    with torch.autocast("cpu", torch.bfloat16):
        out = agent.critic_output(agent.encoder(batch.obs), batch.action)
    assert out.dtype == torch.float32
