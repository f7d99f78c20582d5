"""Mixtures inside a trunk: orthogonal experts, routed modules."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from agents.trunks.moore import MOORETrunk, orthonormal
from agents.trunks.soft_modules import SoftModularTrunk
from tests.agents.trunks.test_layered import ENSEMBLE, ROWS, SIZE, TASKS, make, noise


def representations(trunk: MOORETrunk, x: Tensor) -> Tensor:
    """The orthogonal combinations of the experts that the forward pass mixes, written out: (E, K, T, N, d)."""
    features = trunk.expert_features(x)
    return torch.einsum("etnkj,ejtnd->ektnd", trunk.orthogonal_combinations(features), features)


def test_representations_are_orthogonal_at_every_state() -> None:
    found = representations(make(MOORETrunk), noise(TASKS, ROWS, SIZE))
    assert found.shape == (ENSEMBLE, 3, TASKS, ROWS, 6)
    products = torch.einsum("ektnd,eltnd->etnkl", found, found) / 6
    torch.testing.assert_close(products, torch.eye(3).expand_as(products), atol=1e-4, rtol=0)


def test_vectors_that_are_nearly_parallel_are_made_orthogonal_too() -> None:
    base = noise(1, 1, 20, 64, seed=2)
    vectors = base + 1e-3 * noise(1, 4, 20, 64, seed=3)
    gram = torch.einsum("ekrd,elrd->erkl", vectors.double(), vectors.double())
    basis = torch.einsum("erkj,ejrd->ekrd", orthonormal(gram).float(), vectors)
    products = torch.einsum("ekrd,elrd->erkl", basis, basis)
    torch.testing.assert_close(products, torch.eye(4).expand_as(products), atol=1e-4, rtol=0)
    torch.testing.assert_close(basis[:, 0], F.normalize(vectors[:, 0], dim=-1))


def test_representations_are_orthogonal_in_reduced_precision_too() -> None:
    """Each task has a representation alone, at the same states."""
    trunk, x, seen = make(MOORETrunk), noise(1, ROWS, SIZE).expand(TASKS, -1, -1), list[Tensor]()
    trunk.heads.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].float().atanh()))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        trunk.mix.copy_(torch.eye(3).repeat(ENSEMBLE, 1))
        trunk(x)
    found = seen[0].unflatten(0, (ENSEMBLE, TASKS))
    products = torch.einsum("eknd,elnd->enkl", found, found) / 6
    torch.testing.assert_close(products, torch.eye(3).expand_as(products), atol=1e-4, rtol=0)


def test_a_tasks_weights_choose_among_the_experts() -> None:
    trunk, x = make(MOORETrunk), noise(TASKS, ROWS, SIZE)
    with torch.no_grad():
        trunk.mix.copy_(torch.eye(3).repeat(ENSEMBLE, 1))
    features = torch.tanh(representations(trunk, x)[1, 2, 2])
    member = 1 * TASKS + 2
    expected = features @ trunk.heads.weight[member] + trunk.heads.bias[member]
    torch.testing.assert_close(trunk(x)[1, 2], expected)


def test_the_routing_into_a_module_sums_to_one_and_depends_on_task_and_state() -> None:
    trunk = make(SoftModularTrunk)
    x = noise(1, ROWS, SIZE).expand(TASKS, -1, -1)
    first, last = trunk.routing(x.expand(ENSEMBLE, *x.shape))
    assert first.shape == (ENSEMBLE, TASKS, ROWS, 2, 2)
    assert last.shape == (ENSEMBLE, TASKS, ROWS, 1, 2)
    torch.testing.assert_close(first.sum(dim=-1), torch.ones(ENSEMBLE, TASKS, ROWS, 2))
    assert not torch.allclose(first[:, 0], first[:, 1])
    assert not torch.allclose(first[:, :, 0], first[:, :, 1])


def test_the_output_follows_the_routing() -> None:
    """One member and task by hand, module by module."""
    trunk, x = make(SoftModularTrunk), noise(TASKS, ROWS, SIZE)
    member, task = 1, 2
    first, last = (weights[member, task] for weights in trunk.routing(x.expand(ENSEMBLE, *x.shape)))

    def module(level: int, which: int, inputs: torch.Tensor) -> torch.Tensor:
        layer, index = trunk.modules_of[level], 2 * member + which
        out = inputs @ layer.weight[index] + layer.bias[index]
        return torch.relu(F.layer_norm(out, out.shape[-1:]))

    below = [module(0, which, x[task]) for which in range(2)]
    above = [module(1, to, sum(first[:, to, k, None] * below[k] for k in range(2))) for to in range(2)]
    mixed = sum(last[:, 0, k, None] * above[k] for k in range(2))
    expected = mixed @ trunk.last.weight[member] + trunk.last.bias[member]
    torch.testing.assert_close(trunk(x)[member, task], expected)


def test_routing_pictures_are_per_task() -> None:
    pictures = make(SoftModularTrunk).inspect(noise(TASKS, ROWS, SIZE))
    assert {name: (*picture.shape,) for name, picture in pictures.items()} == {"routing_1": (3, 4), "routing_2": (3, 2)}
