"""An update on some tasks, or on tasks several times, concerns those tasks only."""

from __future__ import annotations

import pytest
import torch

from agents.base import Batch, seeded_generator
from agents.replay import Replay
from tests.agents.conftest import MakeAgent, random_batch

NAMES = ["care", "mtsac", "mtmhsac", "single-task"]
SCALED = {"obs_scale": "running", "reward_scale": "return"}


def of_tasks(batch: Batch, task: torch.Tensor) -> Batch:
    """Those entries of a batch of all tasks that ``task`` names."""
    return batch.apply(lambda part: part[task])._replace(task=task)


@pytest.mark.parametrize("name", NAMES)
def test_all_tasks_by_name_are_all_tasks(make_agent: MakeAgent, name: str) -> None:
    sides = [make_agent(name, **SCALED) for _ in range(2)]
    for seed in range(3):
        batch = random_batch(3, 8, 4, 2, seed)
        for agent, task in zip(sides, (None, torch.arange(3)), strict=True):
            agent.observe(batch.obs, batch.reward, batch.terminated > 0)
            metrics = agent.update(batch._replace(task=task))
            assert metrics["critic_loss"].shape == metrics["q_mean"].shape == metrics["ent_coef"].shape == (3,)
    for one, other in zip(*(agent.parameters() for agent in sides), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_losses_of_some_tasks_are_those_of_the_same_tasks_among_all(
    make_agent: MakeAgent, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = make_agent(name, **SCALED)
    batch = random_batch(3, 8, 4, 2)
    agent.observe(batch.obs, batch.reward, batch.terminated > 0)
    task = torch.tensor([2, 0, 2])
    noise = torch.randn(3, 8, 2, generator=seeded_generator(7))
    found = []
    for given, own_noise in ((batch, noise), (of_tasks(batch, task), noise[task])):
        monkeypatch.setattr(agent, "_noise", lambda shape, own_noise=own_noise: own_noise)
        scaled = agent.scaled(given)
        z = agent.encoder(scaled.obs, given.task)
        losses = agent.critic_losses(z, given.action, agent.td_target(scaled), given.task)[0]
        found.append(torch.stack([losses, agent.actor_losses(z, given.task)[0]]))
    assert found[1].shape == (2, 3)
    torch.testing.assert_close(found[0][:, task], found[1])


def test_a_task_that_is_left_out_keeps_its_temperature_and_its_latest_metrics(make_agent: MakeAgent) -> None:
    agent = make_agent("single-task")
    before = agent.log_temperature.detach().clone()
    first = agent.update(of_tasks(random_batch(3, 8, 4, 2), torch.tensor([0, 2])))
    assert (agent.log_temperature.detach() != before).tolist() == [True, False, True]
    assert (first["critic_loss"] > 0).tolist() == [True, False, True]
    second = agent.update(of_tasks(random_batch(3, 8, 4, 2, seed=1), torch.tensor([1])))
    assert (second["critic_loss"] == first["critic_loss"]).tolist() == [True, False, True]


def test_the_metrics_of_a_repeated_task_are_the_mean_of_both(make_agent: MakeAgent) -> None:
    """Regardless of which comes last: otherwise samplers that use losses would draw other tasks."""
    batch = random_batch(3, 8, 4, 2)._replace(terminated=torch.ones(3, 8))  # so that no noise is in the critics' loss
    losses = []
    for order in ([0, 1, 2], [2, 1, 0]):
        given = batch.apply(lambda part, order=order: part[order])._replace(task=torch.tensor([1, 0, 1]))
        losses.append(make_agent("mtsac").update(given)["critic_loss"])
    torch.testing.assert_close(*losses)


def test_a_replay_draws_the_requested_tasks(make_agent: MakeAgent) -> None:
    replay = Replay(3, 16, 1, 1, seeded_generator(0))
    reward = torch.arange(3.0)[:, None].expand(-1, 8)
    replay.add(reward[..., None], reward[..., None], reward, torch.zeros_like(reward), reward[..., None])
    task = torch.tensor([2, 2, 0])
    batch = replay.sample(5, task=task)
    assert batch.task is task
    assert batch.reward.tolist() == [[2.0] * 5, [2.0] * 5, [0.0] * 5]
