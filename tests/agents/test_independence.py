"""Other tasks do not change a single bit of a task that is learned alone, under every setting."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from agents.base import Batch
from agents.clipping import GradientClip
from agents.sac import SAC
from tests.agents.conftest import MakeAgent, random_batch

CHOICES: dict[str, tuple[Any, ...]] = {
    "network": ("mlp", "residual"),
    "critic": ("scalar", "categorical"),
    "critic_reduction": ("min", "mean"),
    "layer_norm": (True, False),
    "obs_scale": ("none", "running"),
    "reward_scale": ("none", "return"),
    "gradient_norm": (0.0, 0.1),
    "weight_decay": (0.0, 0.01),
    "precision": ("float32", "bfloat16"),
}
SETTINGS = [dict(zip(CHOICES, values, strict=True)) for values in itertools.product(*CHOICES.values())]


def others_changed(batch: Batch) -> Batch:
    """The same for task 0; rewards and observations of the others a thousand times as large."""
    factor = torch.tensor([1.0, 1000.0, 1000.0])[:, None]
    return batch._replace(
        obs=batch.obs * factor[..., None], next_obs=batch.next_obs * factor[..., None], reward=batch.reward * factor
    )


def learned(agent: SAC, batches: list[Batch]) -> tuple[Tensor, dict[str, Tensor]]:
    """Train an agent on batches; return task 0's action on the first one, and all metrics of the last update."""
    metrics: dict[str, Tensor] = {}
    for batch in batches:
        agent.observe(batch.obs, batch.reward, batch.terminated > 0)
        metrics = agent.update(batch)
    return agent.act(batches[0].obs[:1], torch.tensor([0]), explore=False), metrics


@pytest.mark.parametrize("network", CHOICES["network"])
def test_other_tasks_do_not_change_a_bit_of_a_task_learned_alone(make_agent: MakeAgent, network: str) -> None:
    batches = [random_batch(3, 4, 2, 1, seed) for seed in range(2)]
    for settings in (chosen for chosen in SETTINGS if chosen["network"] == network):
        sides = [make_agent("single-task", obs=2, actions=1, hidden=(8, 8), **settings) for _ in range(2)]
        mine, metrics = learned(sides[0], batches)
        other, disturbed = learned(sides[1], [others_changed(batch) for batch in batches])
        assert torch.equal(mine, other), settings
        for name in ("q_mean", "ent_coef"):
            assert metrics[name][0] == disturbed[name][0], (settings, name)
        for one, two in zip(sides[0].parameters(), sides[1].parameters(), strict=True):
            tasks = one.view(-1, 3, one[0].numel()) if one.dim() > 1 else one.view(1, 3, 1)
            assert torch.equal(tasks[:, 0], two.view_as(tasks)[:, 0]), settings


def test_others_that_share_do_change_a_task(make_agent: MakeAgent) -> None:
    batches = [random_batch(3, 4, 2, 1, seed) for seed in range(2)]
    sides = [make_agent("mtsac", obs=2, actions=1, hidden=(8, 8)) for _ in range(2)]
    mine, _ = learned(sides[0], batches)
    other, _ = learned(sides[1], [others_changed(batch) for batch in batches])
    assert not torch.equal(mine, other)


def test_gradients_are_clipped_task_by_task_and_jointly_where_they_are_shared() -> None:
    """Own, two copies of two tasks: task 0 has 3 and 4, of norm 5; task 1 has .3 and .4. Shared: 6 and 8."""
    own, shared = torch.nn.Parameter(torch.zeros(4, 1)), torch.nn.Parameter(torch.zeros(2))
    own.grad, shared.grad = torch.tensor([[3.0], [0.3], [4.0], [0.4]]), torch.tensor([6.0, 8.0])
    GradientClip([own, shared], [own], tasks=2, max_norm=1.0)()
    torch.testing.assert_close(own.grad.flatten(), torch.tensor([0.6, 0.3, 0.8, 0.4]))
    torch.testing.assert_close(shared.grad, torch.tensor([0.6, 0.8]))


def test_a_norm_of_zero_clips_nothing() -> None:
    own = torch.nn.Parameter(torch.zeros(2, 1))
    own.grad = torch.tensor([[3.0], [4.0]])
    GradientClip([own], [own], tasks=2, max_norm=0.0)()
    assert own.grad.flatten().tolist() == [3.0, 4.0]


def test_heads_are_clipped_task_by_task(make_agent: MakeAgent) -> None:
    agent = make_agent("mtmhsac")
    heads = list(agent.actor.own_parameters())
    assert [parameter.shape[0] for parameter in heads] == [3, 3]
    assert {id(p) for p in heads}.isdisjoint(id(p) for p in agent.actor.shared_parameters())


def test_an_encoders_own_weights_are_clipped_task_by_task(make_agent: MakeAgent) -> None:
    """One task's large rewards must not scale down what another learns about its code."""

    def gradient_of_the_first(reward: float) -> Tensor:
        agent = make_agent("mtsac", encoder="bayesian", trunk="separate", gradient_norm=1.0)
        batch = random_batch(3, 8, 4, 2)
        scale = torch.tensor([1.0, reward, 1.0])[:, None]
        agent.update(batch._replace(reward=batch.reward * scale))
        own = agent.encoder.own_parameters()
        assert own
        assert own[0].grad is not None
        return own[0].grad[0].clone()

    torch.testing.assert_close(gradient_of_the_first(1.0), gradient_of_the_first(1e4))
