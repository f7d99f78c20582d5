"""PaCo leaves out a task whose loss explodes, and redraws its combination between those of the others."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from agents.base import seeded_generator
from agents.checks.properties import Recorder
from agents.registry.sharing_settings import PaCoSettings
from agents.sac import SAC
from agents.trunks import TrunkShape
from agents.trunks.paco import PaCoTrunk
from tests.agents.conftest import MakeAgent, random_batch

TASKS, ENSEMBLE, LIMIT = 3, 2, 100.0


def made() -> PaCoTrunk:
    settings = PaCoSettings(parameter_sets=3, loss_limit=LIMIT)
    shape = TrunkShape(TASKS, ENSEMBLE, 4, (8,), 2, True, context=torch.zeros(TASKS, 0), settings=settings)
    return PaCoTrunk(shape, seeded_generator(0))


def vectors(trunk: Any) -> Tensor:
    return trunk.layers[0].composition.weights.detach().clone().unflatten(0, (-1, TASKS))


@pytest.mark.parametrize(
    ("losses", "task", "kept", "exploded"),
    [
        ([1.0, 101.0, 99.0], None, [1.0, 0.0, 99.0], [False, True, False]),
        ([1.0, -101.0, float("inf")], None, [1.0, 0.0, 0.0], [False, True, True]),
        ([1.0, 200.0], [0, 2], [1.0, 0.0], [False, False, True]),
        ([1.0, 200.0, 3.0], [1, 1, 0], [0.0, 0.0, 3.0], [False, True, False]),
        ([200.0, 300.0], [1, 2], [200.0, 300.0], [False, False, False]),  # nor in the batch
        ([200.0, 200.0, 200.0], None, [200.0, 200.0, 200.0], [False, False, False]),  # no other task is left
    ],
)
def test_losses_beyond_the_limit_count_nothing(
    losses: list[float], task: list[int] | None, kept: list[float], exploded: list[bool]
) -> None:
    trunk = made()
    chosen = None if task is None else torch.tensor(task)
    assert trunk.masked(torch.tensor(losses), chosen).tolist() == kept
    assert trunk.exploded is not None
    assert trunk.exploded.tolist() == exploded


def test_a_redrawn_combination_is_between_those_of_the_others_which_stay() -> None:
    trunk, generator = made(), seeded_generator(1)
    before, positions = vectors(trunk), []
    for _ in range(200):
        trunk.masked(torch.tensor([1.0, 1e6, 1.0]))
        trunk.after_step(generator)
        now = vectors(trunk)
        assert torch.equal(now[:, [0, 2]], before[:, [0, 2]])
        along = (now[:, 1] - before[:, 0]) / (before[:, 2] - before[:, 0])
        torch.testing.assert_close(along, along.flatten()[:1].expand_as(along), atol=1e-3, rtol=0.0)
        positions.append(float(along[0, 0]))
    assert 0.0 <= min(positions) < 0.1 < 0.9 < max(positions) <= 1.0
    assert sum(positions) / len(positions) == pytest.approx(0.5, abs=0.1)


def test_where_no_loss_explodes_nothing_moves() -> None:
    trunk = made()
    before = vectors(trunk)
    trunk.masked(torch.tensor([1.0, 2.0, 3.0]))
    trunk.after_step(seeded_generator(1))
    assert torch.equal(vectors(trunk), before)


def learned(agent: SAC, factor: float) -> Tensor:
    for step in range(5):
        batch = random_batch(3, 16, 4, 2, seed=step)
        agent.update(batch._replace(reward=batch.reward * torch.tensor([[1.0], [factor], [1.0]])))
    return torch.cat([parameter.detach().flatten() for parameter in agent.parameters()])


@pytest.mark.parametrize(("limit", "same"), [(3e3, True), (1e30, False)])
def test_how_far_the_planted_task_explodes_does_not_matter_to_the_agent(
    make_agent: MakeAgent, limit: float, same: bool
) -> None:
    """Its rewards are a thousand and a million times the others': left out, the same weights to the last bit."""
    one, other = (learned(make_agent("paco", loss_limit=limit), factor) for factor in (1e3, 1e6))
    assert torch.equal(one, other) is same


def test_a_task_that_explodes_recovers_with_a_target_that_does(make_agent: MakeAgent) -> None:
    """Once its rewards are small again it is learned: the vectors in its targets have become the others' too."""
    agent = make_agent("paco", polyak=0.2)
    learned(agent, 1e3)
    assert agent.critic.exploded.tolist() == [False, True, False]
    learned(agent, 1.0)
    assert agent.critic.exploded.tolist() == [False, False, False]


@pytest.mark.parametrize("also", [{"penalty": "l2"}, {"encoder": "care", "attention_sparsity": 0.1}])
@pytest.mark.parametrize("name", ["famo", "mgda", "imtl"])
def test_a_task_that_is_left_out_has_no_weight_by_what_every_loss_contains(
    make_agent: MakeAgent, name: str, also: dict[str, Any]
) -> None:
    """A penalty or an encoder's own loss, small as it is, would take all the weight of these aggregators."""
    agent = make_agent("paco", aggregator=name, **also)
    batch = random_batch(3, 16, 4, 2)
    metrics = agent.update(batch._replace(reward=batch.reward * torch.tensor([[1.0], [1e3], [1.0]])))
    assert agent.critic.exploded.tolist() == [False, True, False]
    assert metrics["critic_task_weight"][1] == 0.0


def test_it_does_not_wait_for_the_device() -> None:
    trunk, losses, generator = made(), torch.tensor([1.0, 1e6, 1.0]), seeded_generator(1)
    with Recorder() as recorder:
        trunk.masked(losses, torch.tensor([0, 1, 1]))
        trunk.after_step(generator)
    assert "exponential_" in recorder.names
    assert recorder.waits == []
