"""CARE's attention, context and mixture against numbers worked out by hand, and properties that must hold."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from agents.base import seeded_generator
from agents.build import Sizes, build_agent
from agents.encoders.care import CAREEncoder, ContextAttention, ContextNetwork, DotProductAttention
from agents.registry.compose import settings_type
from agents.registry.presets import PRESETS
from envs.context import encode, spread
from tests.agents.conftest import CPU, MakeAgent, sentence_vectors


class FixedLogits(nn.Module):
    """An attention with fixed logits (K, T)."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, context: Tensor, encodings: Tensor) -> Tensor:
        return self.logits[:, :, None]


def small_encoder(attention: nn.Module, detach: bool = True, temperature: float = 1.0, tasks: int = 2) -> CAREEncoder:
    """Two encoders of two numbers, without hidden layers."""
    init = seeded_generator(0)
    context = ContextNetwork(sentence_vectors(tasks), True, (8,), 4, init)
    return CAREEncoder(2, 2, (), 2, context, 4, attention, temperature, detach, True, init)


def test_mixture_by_hand() -> None:
    """Encoder 1 is the identity, encoder 2 doubles; task 0 weighs them 3:1, task 1 evenly."""
    encoder = small_encoder(FixedLogits(torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]])))
    layer = encoder.encoders.layers[0]
    with torch.no_grad():
        layer.weight.copy_(torch.stack([torch.eye(2), 2 * torch.eye(2)]))
        layer.bias.zero_()
    z = encoder(torch.tensor([[[1.0, -2.0]], [[1.0, -2.0]]]))
    assert z[0, 0, :2].tolist() == pytest.approx([1.25, -2.5])
    assert z[1, 0, :2].tolist() == pytest.approx([1.5, -3.0])
    torch.testing.assert_close(z[:, 0, 2:], encoder.context())


def test_temperature_sharpens_attention() -> None:
    logits = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    obs = torch.zeros(2, 3, 2)
    weights = small_encoder(FixedLogits(logits), temperature=0.5).inspect(obs)["attention"]
    assert weights[0].tolist() == pytest.approx([math.e**2 / (math.e**2 + 1), 1 / (math.e**2 + 1)])
    assert weights[1].tolist() == pytest.approx([0.5, 0.5])


def test_dot_product_attention_by_hand() -> None:
    attention = DotProductAttention(2, 2, seeded_generator(0))
    with torch.no_grad():
        attention.query.layers[0].weight.copy_(torch.eye(2)[None])
        attention.query.layers[0].bias.zero_()
    context = torch.tensor([[1.0, 2.0]])
    encodings = torch.tensor([[[[3.0, 0.0]]], [[[0.0, 4.0]]]])  # two encoders, one task, one row
    assert attention(context, encodings).flatten().tolist() == pytest.approx([3 / 2**0.5, 8 / 2**0.5])


def test_context_attention_is_the_same_for_all_rows_and_dot_product_is_not(make_agent: MakeAgent) -> None:
    obs = torch.randn(3, 6, 4, generator=seeded_generator(0))
    for name, spread_is_zero in (("context", True), ("dot-product", False)):
        encoder = make_agent("care", attention=name).encoder
        _, weights = encoder._encodings_and_weights(obs, encoder.context())
        torch.testing.assert_close(weights.sum(dim=0), torch.ones_like(weights[0]))
        spread_over_rows = weights.expand(-1, -1, 6).std(dim=2).max()
        assert (spread_over_rows < 1e-6) == spread_is_zero


@pytest.mark.parametrize("detach", [True, False])
def test_stop_gradient_between_context_and_attention(detach: bool) -> None:
    """Only through the attention: the mixture's gradient reaches the context network exactly if it is not detached."""
    init = seeded_generator(1)
    encoder = small_encoder(ContextAttention(4, (8,), 2, init), detach)
    mixture = encoder(torch.ones(2, 3, 2))[..., :2]
    mixture.square().sum().backward()
    reached = any(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.context.parameters())
    assert reached != detach
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.attention.parameters())


def test_permuting_tasks_with_their_contexts_permutes_the_outputs(make_agent: MakeAgent) -> None:
    agent = make_agent("care")
    obs = torch.randn(3, 5, 4, generator=seeded_generator(0))
    before = agent.act(obs, explore=False)
    order = torch.tensor([2, 0, 1])
    with torch.no_grad():
        agent.encoder.context.known.copy_(agent.encoder.context.known[order])
        agent.encoder.context.own.copy_(torch.randn(3, 8, generator=seeded_generator(2))[order] * 0)
    torch.testing.assert_close(agent.act(obs[order], explore=False), before[order])


def test_a_tasks_own_row_starts_at_zero_so_that_only_its_sentence_counts() -> None:
    context = ContextNetwork(sentence_vectors(3), True, (8,), 4, seeded_generator(0))
    assert context.own.abs().max() == 0
    torch.testing.assert_close(context(), context.network(context.known[None])[0])


def test_attention_differs_between_tabletop_tasks_before_any_training() -> None:
    from envs.tabletop import suite

    vectors, _ = encode(suite.descriptions)
    sizes = Sizes(11, torch.ones(10, 3, dtype=torch.bool), torch.as_tensor(spread(vectors)))
    agent = build_agent(PRESETS["care"], sizes, settings_type(PRESETS["care"])(), 0, CPU)
    weights = agent.inspect(torch.zeros(10, 1, 11))["attention"]
    apart = (weights[:, None] - weights[None]).abs().amax(dim=-1)
    assert apart[~torch.eye(10, dtype=torch.bool)].min() > 1e-3


def test_a_masked_encoder_has_no_weight_and_the_others_are_renormalised() -> None:
    """Weights 1/6, 2/6 and 3/6; without the last 1/3 and 2/3, without the first 2/5 and 3/5."""
    logits = torch.tensor([1.0, 2.0, 3.0]).log()[:, None].expand(-1, 2)
    init = seeded_generator(0)
    context = ContextNetwork(sentence_vectors(2), True, (8,), 4, init)
    encoder = CAREEncoder(2, 3, (), 2, context, 4, FixedLogits(logits), 1.0, True, True, init)
    obs = torch.randn(2, 5, 2, generator=seeded_generator(1))
    unmasked = encoder(obs)
    for expert, weights in ((2, [1 / 3, 2 / 3, 0.0]), (0, [0.0, 0.4, 0.6]), (None, [1 / 6, 2 / 6, 3 / 6])):
        encoder.mask_expert(expert)
        assert encoder.inspect(obs)["attention"].tolist() == [pytest.approx(weights)] * 2
    assert torch.equal(encoder(obs), unmasked)


@pytest.mark.parametrize(("name", "settings"), [("mtsac", {}), ("single-task", {}), ("care", {"encoders": 1})])
def test_only_a_mixtures_encoders_can_be_masked(make_agent: MakeAgent, name: str, settings: dict) -> None:
    with pytest.raises(ValueError, match="not a mixture|only one encoder"):
        make_agent(name, **settings).mask_expert(0)


def test_the_sparsity_penalty_is_the_entropy_of_the_mean_attention_and_leaves_fewer_encoders_in_use() -> None:
    init = seeded_generator(0)
    context = ContextNetwork(sentence_vectors(3), True, (8,), 4, init)
    attention = ContextAttention(4, (8,), 4, init)
    encoder = CAREEncoder(2, 4, (), 2, context, 4, attention, 1.0, True, True, init, sparsity=0.5)
    obs = torch.zeros(3, 1, 2)
    optimizer, entropies = torch.optim.Adam(encoder.parameters(), 0.05), []
    for _ in range(100):
        encoder(obs)
        loss = encoder.auxiliary_loss()
        assert loss is not None
        mean = encoder.inspect(obs)["attention"].detach().mean(dim=0)
        assert loss.item() == pytest.approx(-0.5 * (mean * mean.log()).sum().item(), rel=1e-4)
        entropies.append(2 * loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert math.exp(entropies[0]) > 3.0  # encoders in use, of four
    assert math.exp(entropies[-1]) < 1.5
    assert encoder.auxiliary_loss() is None  # none is left over from before
