"""Stacked layers against plain products; residual networks: what a block adds, and that groups do not mix."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from agents.base import seeded_generator
from agents.networks import StackedLinear, StackedMLP, StackedResidual, normalized


@pytest.mark.parametrize("size_out", [1, 2])
def test_each_group_is_a_linear_layer_of_its_own(size_out: int) -> None:
    """Output and gradients are ``torch.nn.functional.linear``'s, also where there is one output."""
    generator = seeded_generator(0)
    layer = StackedLinear(3, 5, size_out, generator)
    x = torch.randn(3, 4, 5, generator=generator, requires_grad=True)
    pull = torch.randn(3, 4, size_out, generator=generator)
    expected = torch.stack([F.linear(x[g], layer.weight[g].T, layer.bias[g, 0]) for g in range(3)])
    leaves = [x, layer.weight, layer.bias]
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(
        torch.autograd.grad(layer(x), leaves, pull), torch.autograd.grad(expected, leaves, pull), rtol=1e-5, atol=1e-6
    )
    torch.testing.assert_close(layer(x[2:], torch.tensor([2])), expected[2:])


def test_a_block_adds_to_what_came_in() -> None:
    """With the outer layer of every block at zero nothing is added, so only the first and the last layer count."""
    network = StackedResidual(1, 3, (8, 8, 8), 2, seeded_generator(0), layer_norm=False)
    x = torch.randn(1, 5, 3, generator=torch.Generator().manual_seed(1))
    before = network(x)
    with torch.no_grad():
        for layer in network.outer:
            layer.weight.zero_()
            layer.bias.zero_()
    plain = network.last(torch.relu(network.first(x)))
    torch.testing.assert_close(network(x), plain)
    assert not torch.allclose(before, plain)


def test_each_further_width_is_a_block_of_two_layers() -> None:
    network = StackedResidual(2, 3, (8, 8, 8), 1, seeded_generator(0))
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == 2 * ((3 * 8 + 8) + 2 * 2 * (8 * 8 + 8) + (8 + 1))


def test_groups_do_not_mix_and_may_be_named() -> None:
    network = StackedResidual(2, 3, (8, 8), 1, seeded_generator(0))
    x = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(1))
    both = network(x)
    torch.testing.assert_close(network(x[1:], torch.tensor([1])), both[1:])
    changed = x.clone()
    changed[0] += 1.0
    torch.testing.assert_close(network(changed)[1], both[1])


def test_widths_that_differ_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"hidden is 8 4; a residual network has one width"):
        StackedResidual(1, 3, (8, 4), 1, seeded_generator(0))


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_normalisation_is_plain_layer_normalisation_to_the_last_bit(kind: torch.dtype) -> None:
    x = 3.0 + 2.0 * torch.randn(2, 50, 128, generator=seeded_generator(1), dtype=kind)
    assert torch.equal(normalized(x), F.layer_norm(x, (128,)))


@pytest.mark.parametrize("layer_norm", [False, True])
def test_a_network_leaves_its_input_as_it_is(layer_norm: bool) -> None:
    """Hidden units are overwritten in place; what comes in is not."""
    x = torch.randn(1, 5, 3, generator=seeded_generator(1))
    before = x.clone()
    StackedMLP(1, 3, (8, 8), 2, seeded_generator(0), layer_norm)(x).sum().backward()
    assert torch.equal(x, before)
