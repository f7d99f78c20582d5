"""Norms of tasks' gradients are measured without changing the aggregator."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from agents.aggregators import gradient_norms
from agents.aggregators.gradient_norms import MEASURE_EVERY, WithGradientNorms
from agents.base import PieceShape
from agents.checks.properties import Recorder
from agents.registry.spec import RegistryError
from agents.sac import SAC
from tests.agents.aggregators.made import linear_losses, made, sides
from tests.agents.conftest import CPU, MakeAgent, random_batch

ROWS = [[3.0, 4.0], [0.0, -2.0], [1.0, 0.0]]
SHAPE = PieceShape(3, CPU, None)


def measured(name: str = "mean") -> WithGradientNorms:
    return WithGradientNorms(made(name, 3), SHAPE)


def test_they_are_those_of_each_tasks_gradient_and_the_mean_where_a_task_is_repeated() -> None:
    shared, aggregate = nn.Parameter(torch.ones(2)), measured()
    aggregate(linear_losses(ROWS, shared), sides(shared))
    assert aggregate.metrics()["critic_gradient_norm"].tolist() == [5.0, 2.0, 1.0]
    other = measured()
    other(linear_losses(ROWS, shared), sides(shared, task=torch.tensor([1, 1, 0])))
    assert other.metrics()["critic_gradient_norm"].tolist() == [1.0, 3.5, 0.0]


@pytest.mark.parametrize("name", ["mean", "pcgrad", "uncertainty"])
def test_the_aggregator_writes_what_it_writes_alone(name: str) -> None:
    found = []
    for aggregate in (made(name, 3), measured(name)):
        shared = nn.Parameter(torch.ones(2))
        aggregate(linear_losses(ROWS, shared), sides(shared))
        found.append(shared.grad)
    assert torch.equal(*found)


def test_they_are_measured_in_every_tenth_update_of_the_critics_and_a_resumed_run_counts_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put, asked = gradient_norms.put, []

    def counted(table: Tensor, *rest: object) -> Tensor:
        asked.append(len(table))
        return put(table, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(gradient_norms, "put", counted)
    shared, one, other = nn.Parameter(torch.ones(2)), measured(), measured()
    for update in range(MEASURE_EVERY):
        aggregate = one if update < MEASURE_EVERY // 2 else other
        aggregate(linear_losses(ROWS, shared), sides(shared))
        aggregate(linear_losses(ROWS, shared), sides(shared, role="actor"))
        other.load_state_dict(aggregate.state_dict())
    assert len(asked) == 1
    other(linear_losses(ROWS, shared), sides(shared))
    assert len(asked) == 2


def test_a_measurement_does_not_wait_for_the_device(make_agent: MakeAgent) -> None:
    agent, batch = make_agent("mtsac", sampler="gradient-norm"), random_batch(3, 16, 4, 2)
    agent.update(batch)  # the first one compares two ways of taking gradients
    agent.aggregate._updates = 0
    with Recorder() as recorder:
        agent.update(batch)
    assert recorder.waits == []
    assert recorder.names.count("baddbmm") > 0
    assert agent.aggregate._updates == 1


def gradients_in_the_long_run(agent: SAC) -> Tensor:
    for step in range(20):
        batch = random_batch(3, 16, 4, 2, seed=step)
        metrics = agent.update(batch._replace(reward=batch.reward * torch.tensor([[1.0], [10.0], [1.0]])))
    return metrics["critic_gradient_norm"]


def test_the_planted_task_with_large_rewards_has_the_longest_gradient(make_agent: MakeAgent) -> None:
    found = gradients_in_the_long_run(make_agent("mtsac", sampler="gradient-norm"))
    assert float(found[1]) > 3.0 * float(found[[0, 2]].max())


def test_nothing_is_measured_if_no_sampler_needs_it(make_agent: MakeAgent) -> None:
    assert "critic_gradient_norm" not in make_agent("mtsac").update(random_batch(3, 16, 4, 2))


def test_agents_that_share_nothing_are_refused(make_agent: MakeAgent) -> None:
    with pytest.raises(RegistryError, match=r"sampler 'gradient-norm'.*share nothing; use --sampler loss"):
        make_agent("soft-sharing", sampler="gradient-norm")
