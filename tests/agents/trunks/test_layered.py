"""Layers that depend on the task against their formulas."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from agents.base import seeded_generator
from agents.registry.sharing_settings import LoRASettings, LowRankSettings, PaCoSettings, SearchSettings
from agents.registry.spec import RegistryError
from agents.trunks import Trunk, TrunkShape
from agents.trunks.cross_stitch import CrossStitchTrunk
from agents.trunks.depth import DepthTrunk
from agents.trunks.lora import LoRALayer, LoRATrunk
from agents.trunks.low_rank import LowRankLayer, LowRankTrunk
from agents.trunks.masked import MaskedTrunk, straight_through
from agents.trunks.moore import MOORETrunk
from agents.trunks.paco import PaCoTrunk
from agents.trunks.searched import SearchedTrunk
from agents.trunks.soft_modules import SoftModularTrunk

TASKS, ENSEMBLE, ROWS, SIZE = 3, 2, 5, 4
SETTINGS = {
    LoRATrunk: LoRASettings(lora_rank=2, lora_layers=2),
    LowRankTrunk: LowRankSettings(weight_rank=6),
    PaCoTrunk: PaCoSettings(parameter_sets=2),
    SearchedTrunk: SearchSettings(),
    SoftModularTrunk: SimpleNamespace(modules=2, routing_size=8),
    MOORETrunk: SimpleNamespace(experts=3),
    MaskedTrunk: None,
    CrossStitchTrunk: None,
    DepthTrunk: None,
}


def make(kind: Any, hidden: tuple[int, ...] = (8, 6), size_out: int = 2) -> Any:
    shape = TrunkShape(
        TASKS, ENSEMBLE, SIZE, hidden, size_out, True, context=torch.zeros(TASKS, 0), settings=SETTINGS[kind]
    )
    return kind(shape, seeded_generator(0))


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=seeded_generator(seed))


@pytest.mark.parametrize("kind", SETTINGS)
def test_some_tasks_in_any_order_get_what_they_get_among_all(kind: type[Trunk]) -> None:
    trunk, x, some = make(kind), noise(TASKS, ROWS, SIZE), torch.tensor([2, 0, 2, 1])
    out = trunk(x)
    assert out.shape == (ENSEMBLE, TASKS, ROWS, 2)
    torch.testing.assert_close(trunk(x[some], some), out[:, some], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_tasks_own_weights_are_trained_by_it_alone(kind: type[Trunk]) -> None:
    trunk = make(kind)
    own, shared = trunk.own_parameters(), trunk.shared_parameters()
    assert {id(p) for p in own} | {id(p) for p in shared} == {id(p) for p in trunk.parameters()}
    trunk(noise(TASKS, ROWS, SIZE))[:, 1].square().sum().backward()
    for parameter in own:
        others = parameter.grad.view(-1, TASKS, parameter[0].numel())[:, [0, 2]]
        assert not others.any()
    assert all(parameter.grad.any() for parameter in shared)


def test_an_adapter_starts_at_zero_and_adds_a_matrix_of_its_rank() -> None:
    shape = TrunkShape(TASKS, ENSEMBLE, SIZE, (8,), 2, True, context=torch.zeros(TASKS, 0))
    layer, x = LoRALayer(shape, SIZE, 6, 2, seeded_generator(0)), noise(ENSEMBLE, TASKS, ROWS, SIZE)
    base = x @ layer.base.weight[:, None] + layer.base.bias[:, None]
    torch.testing.assert_close(layer(x), base)
    with torch.no_grad():
        layer.up.normal_(generator=seeded_generator(3))
    shift = layer.down[1 * TASKS + 2] @ layer.up[1 * TASKS + 2]
    assert torch.linalg.matrix_rank(shift) == 2
    torch.testing.assert_close(layer(x)[1, 2], base[1, 2] + x[1, 2] @ shift)


def test_only_the_last_layers_have_adapters() -> None:
    assert [layer.rank for layer in make(LoRATrunk).layers] == [0, 2, 2]


def test_low_rank_weights_are_shared_directions_that_a_task_scales() -> None:
    shape = TrunkShape(TASKS, ENSEMBLE, SIZE, (8,), 2, True, context=torch.zeros(TASKS, 0))
    layer, x = LowRankLayer(shape, SIZE, 6, 3, seeded_generator(0)), noise(ENSEMBLE, TASKS, ROWS, SIZE)
    weight = layer.down[1] @ layer.scale[1 * TASKS + 2].flatten().diag() @ layer.up[1]
    assert torch.linalg.matrix_rank(weight) == 3
    torch.testing.assert_close(layer(x)[1, 2], x[1, 2] @ weight + layer.bias[1])


def test_paco_combines_the_sets_with_the_tasks_vector() -> None:
    trunk, x = make(PaCoTrunk), noise(TASKS, ROWS, SIZE)
    with torch.no_grad():
        for mix in (trunk.layers[0].composition.weights,):
            mix.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]).repeat(ENSEMBLE, 1))
    first, sets = trunk.layers[0], trunk.layers[0].sets
    out = first(x.expand(ENSEMBLE, *x.shape))
    for task, (one, two) in enumerate([(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)]):
        weight = one * sets.weight[2] + two * sets.weight[3]  # of the second member
        bias = one * sets.bias[2] + two * sets.bias[3]
        torch.testing.assert_close(out[1, task], x[task] @ weight + bias)
    assert len(trunk.own_parameters()) == 1


def test_a_mask_is_hard_and_its_gradient_that_of_the_sigmoid() -> None:
    scores = torch.tensor([-0.3, 0.0, 2.0], requires_grad=True)
    mask = straight_through(scores)
    assert mask.tolist() == [0.0, 0.0, 1.0]
    mask.sum().backward()
    soft = torch.sigmoid(scores.detach())
    torch.testing.assert_close(scores.grad, soft * (1 - soft))


def test_a_masked_unit_changes_nothing_for_its_task() -> None:
    trunk, x = make(MaskedTrunk), noise(TASKS, ROWS, SIZE)
    with torch.no_grad():
        for scores in trunk.scores:
            scores.fill_(1.0)
        trunk.scores[1][:, 0, 3] = 1.0
        trunk.scores[1][[0, TASKS], 0, 3] = -1.0  # task 0, both members
    before = trunk(x)
    with torch.no_grad():
        trunk.layers[2].weight[:, 3] += 1.0
    change = (trunk(x) - before).abs().amax(dim=(0, 2, 3))
    assert change[0] == 0
    assert (change[1:] > 0).all()
    torch.testing.assert_close(trunk.inspect(x)["units_in_use"], torch.tensor([[1.0, 5 / 6], [1, 1], [1, 1]]))


def test_with_stitches_that_separate_columns_a_task_has_its_own_network() -> None:
    trunk, x = make(CrossStitchTrunk), noise(TASKS, ROWS, SIZE)
    with torch.no_grad():
        for stitch in trunk.stitches:
            stitch.copy_(torch.eye(2))
        trunk.output.copy_(torch.tensor([1.0, 0.0]))
    before = trunk(x)
    with torch.no_grad():
        for parameter in trunk.shared_parameters():
            parameter.add_(1.0)
    assert torch.equal(trunk(x), before)


def test_depth_is_the_mean_of_the_outputs_that_the_task_weighs() -> None:
    trunk, x = make(DepthTrunk), noise(TASKS, ROWS, SIZE)
    with torch.no_grad():
        trunk.scores.copy_(torch.tensor([[50.0, 0.0], [0.0, 50.0], [0.0, 0.0]]).repeat(ENSEMBLE, 1))
    shallow, deep, both = trunk(x[:1].expand(3, -1, -1))[1]
    torch.testing.assert_close(both, (shallow + deep) / 2)
    hidden = torch.relu(
        torch.nn.functional.layer_norm(x[0] @ trunk.layers[0].weight[1] + trunk.layers[0].bias[1], (8,))
    )
    torch.testing.assert_close(shallow, hidden @ trunk.exits[0].weight[1] + trunk.exits[0].bias[1])
    assert trunk.inspect(x)["depth"].sum(dim=1).allclose(torch.ones(TASKS))


def test_depth_needs_a_choice_of_layers() -> None:
    with pytest.raises(RegistryError, match="give more, as in --hidden 128 128"):
        make(DepthTrunk, hidden=(8,))
