"""Penalties against their formulas and described effects."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from agents.base import PieceShape, seeded_generator
from agents.networks import StackedLinear, StackedMLP
from agents.penalties.l1 import L1
from agents.penalties.l2 import L2
from agents.penalties.orthogonality import Orthogonality
from agents.penalties.soft_sharing import SoftSharing, TraceNorm
from agents.registry.compose import settings_type
from agents.registry.presets import PRESETS
from agents.registry.spec import RegistryError
from agents.trunks import TrunkShape
from agents.trunks.separate import SeparateTrunk

CPU, TASKS = torch.device("cpu"), 3


def piece(kind: Any, **settings: float) -> Any:
    return kind(PieceShape(TASKS, CPU, SimpleNamespace(**settings)))


def separate() -> SeparateTrunk:
    shape = TrunkShape(TASKS, 2, 4, (6,), 2, True, context=torch.zeros(TASKS, 0))
    return SeparateTrunk(shape, seeded_generator(0))


def test_l1_is_the_weighted_sum_of_absolute_values() -> None:
    mlp = StackedMLP(1, 3, (4,), 2, seeded_generator(0))
    expected = 0.1 * sum(p.detach().abs().sum().item() for p in mlp.parameters())
    assert piece(L1, l1_weight=0.1)(mlp).item() == pytest.approx(expected, rel=1e-5)


def test_orthogonality_is_zero_for_orthogonal_units_of_any_length() -> None:
    layer, penalty = StackedLinear(2, 4, 3, seeded_generator(0)), piece(Orthogonality, orthogonality_weight=0.5)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[:, :3] = torch.diag(torch.tensor([1.0, 2.0, 5.0]))
    assert penalty(layer).item() == 0.0
    with torch.no_grad():
        layer.weight[1, 0, 1] = 3.0  # the second unit's product with the first: 1 * 3
    assert penalty(layer).item() == 0.5 * 2 * 3.0**2


def test_soft_sharing_is_the_mean_squared_distance_to_the_tasks_mean() -> None:
    trunk = separate()
    expected = 0.0
    for parameter in trunk.parameters():
        for member in range(2):
            own = parameter[member * TASKS : (member + 1) * TASKS]
            expected += (own - own.mean(dim=0)).detach().square().sum().item() / TASKS
    assert piece(SoftSharing, sharing_weight=2.0)(trunk).item() == pytest.approx(2.0 * expected, rel=1e-5)


def test_tasks_that_are_alike_cost_nothing() -> None:
    trunk = separate()
    with torch.no_grad():
        for parameter in trunk.parameters():
            parameter.copy_(parameter[:1].expand_as(parameter))
    assert piece(SoftSharing, sharing_weight=2.0)(trunk).item() == pytest.approx(0.0, abs=1e-9)


def test_the_trace_norm_of_tasks_that_are_alike_is_that_of_rank_one() -> None:
    class One(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor([[3.0, 4.0]]).repeat(TASKS, 1))

        def own_parameters(self) -> list[torch.nn.Parameter]:
            return [self.weight]

    module, penalty = One(), piece(TraceNorm, trace_weight=1.0)
    assert penalty(module).item() == pytest.approx(5.0 * TASKS**0.5 / TASKS, rel=1e-5)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]]))
    assert penalty(module).item() == pytest.approx(7.0 / TASKS, rel=1e-5)


@pytest.mark.parametrize("name", ["soft-sharing", "trace-norm"])
def test_a_penalty_on_task_specific_weights_is_refused_where_there_are_none(name: str) -> None:
    with pytest.raises(RegistryError, match="trunk 'shared' has none; use --trunk separate"):
        settings_type(PRESETS["mtsac"], {"penalty": name})
    assert settings_type(PRESETS["mtmhsac"], {"penalty": name})


@pytest.mark.parametrize(
    ("kind", "weight"),
    [(L1, "l1_weight"), (L2, "penalty_weight"), (Orthogonality, "orthogonality_weight")],
)
def test_a_task_feels_the_penalty_of_its_own_weights_once_among_however_many_tasks(kind: Any, weight: str) -> None:
    """The penalty is added to the loss of each of T tasks, whose networks are alike here."""
    alone, together = (
        SeparateTrunk(TrunkShape(tasks, 2, 4, (6,), 2, True, context=torch.zeros(tasks, 0)), seeded_generator(0))
        for tasks in (1, TASKS)
    )
    with torch.no_grad():
        for one, all_of_them in zip(alone.parameters(), together.parameters(), strict=True):
            all_of_them.copy_(one.repeat_interleave(TASKS, dim=0))
    found = [
        kind(PieceShape(tasks, CPU, SimpleNamespace(**{weight: 0.1})))(trunk).item()
        for tasks, trunk in ((1, alone), (TASKS, together))
    ]
    assert TASKS * found[1] == pytest.approx(TASKS * found[0], rel=1e-5)
    together.zero_grad()
    (TASKS * kind(PieceShape(TASKS, CPU, SimpleNamespace(**{weight: 0.1})))(together)).backward()
    kind(PieceShape(1, CPU, SimpleNamespace(**{weight: 0.1})))(alone).backward()
    for one, all_of_them in zip(alone.parameters(), together.parameters(), strict=True):
        gradient = torch.zeros_like(one) if one.grad is None else one.grad
        of_all = torch.zeros_like(all_of_them) if all_of_them.grad is None else all_of_them.grad
        torch.testing.assert_close(of_all[::TASKS], gradient)
