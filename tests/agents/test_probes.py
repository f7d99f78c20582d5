"""The probe ladder: tiny problems with known answers, each of which fails on one fault in an agent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from agents.aggregators import sums
from agents.base import Batch, seeded_generator
from agents.build import MAX_SCALED_RETURN, Sizes, build_sac
from agents.encoders.plain import PassThrough
from agents.registry.presets import PRESETS
from agents.sac import SAC
from agents.trunks.shared import SharedTrunk
from tests.agents.conftest import CPU, MakeAgent, plain_settings, sentence_vectors

KIT_AGENTS = [name for name, preset in PRESETS.items() if preset.in_loop]
FIRST = ("care", "mtsac", "mtmhsac", "single-task")
# All agents share one update, so that only these climb every step of the ladder in every test run.
BY_PATIENCE = [name if name in FIRST else pytest.param(name, marks=pytest.mark.slow) for name in KIT_AGENTS]
Reward = Callable[[Tensor, Tensor], Tensor]  # obs (T, N, 1), action (T, N, 1) -> (T, N)
TASKS, ROWS = 2, 64


def blind_agent() -> SAC:
    """One network for all tasks that does not observe the task."""
    settings = plain_settings(learning_rate=3e-3, final_learning_rate=3e-3, polyak=0.05)
    sizes = Sizes(1, torch.ones(TASKS, 1, dtype=torch.bool), sentence_vectors(TASKS))
    return build_sac(PassThrough(1), SharedTrunk, sums.mean, sizes, settings, seeded_generator(0), CPU)


def one_step_batch(agent: SAC, reward: Reward, generator: torch.Generator) -> Batch:
    """Episodes of one step: half of the actions the agent's, half drawn at random."""
    obs = torch.rand(TASKS, ROWS, 1, generator=generator) * 2 - 1
    action = agent.act(obs, explore=True)
    random = torch.rand(TASKS, ROWS, 1, generator=generator) * 2 - 1
    action = torch.where(torch.arange(ROWS)[None, :, None] % 2 == 0, random, action)
    return Batch(obs, action, reward(obs, action), torch.ones(TASKS, ROWS), obs)


def learn(agent: SAC, reward: Reward, updates: int) -> None:
    generator = seeded_generator(0)
    for _ in range(updates):
        agent.update(one_step_batch(agent, reward, generator))


def q_of(agent: SAC, obs: Tensor, action: Tensor) -> Tensor:
    """Both critics' values, (2, T, N)."""
    with torch.no_grad():
        out = agent.critic_output(agent.encoder(obs), action)
        return torch.stack([agent.head.value(one[None]) for one in out])


def probe_obs(count: int = 9) -> Tensor:
    return torch.linspace(-0.8, 0.8, count)[None, :, None].expand(TASKS, -1, -1)


@pytest.mark.parametrize("name", BY_PATIENCE)
def test_constant_reward_is_what_the_critics_predict(make_agent: MakeAgent, name: str) -> None:
    agent = make_agent(name, tasks=TASKS, obs=1, actions=1)
    learn(agent, lambda obs, action: torch.ones(TASKS, ROWS), 200)
    q = q_of(agent, probe_obs(), torch.zeros(TASKS, 9, 1))
    assert (q - 1.0).abs().max() < 0.1


@pytest.mark.parametrize("name", BY_PATIENCE)
def test_reward_that_depends_on_the_observation_is_learned(make_agent: MakeAgent, name: str) -> None:
    agent = make_agent(name, tasks=TASKS, obs=1, actions=1)
    learn(agent, lambda obs, action: obs.sign().squeeze(-1), 300)
    q = q_of(agent, torch.tensor([-0.6, 0.6])[None, :, None].expand(TASKS, -1, -1), torch.zeros(TASKS, 2, 1))
    assert (q - torch.tensor([-1.0, 1.0])).abs().max() < 0.25


@pytest.mark.parametrize("name", BY_PATIENCE)
def test_the_better_action_is_found(make_agent: MakeAgent, name: str) -> None:
    """Reward -4 (a - 0.5)^2: the best action is 0.5 everywhere."""
    agent = make_agent(name, tasks=TASKS, obs=1, actions=1, initial_temperature=0.02)
    learn(agent, lambda obs, action: -4.0 * (action - 0.5).square().squeeze(-1), 500)
    assert (agent.act(probe_obs(), explore=False) - 0.5).abs().max() < 0.2


@pytest.mark.parametrize("name", KIT_AGENTS)
def test_the_value_of_two_steps_is_discounted_once(make_agent: MakeAgent, name: str) -> None:
    """obs -0.5 leads to obs 0.5 without reward, which ends with reward 1: Q(-0.5) = discount, temperature aside."""
    agent = make_agent(name, tasks=TASKS, obs=1, actions=1, discount=0.5, initial_temperature=1e-4)
    generator = seeded_generator(0)
    for _ in range(400):
        first = torch.arange(ROWS)[None, :].expand(TASKS, -1) % 2 == 0
        obs = torch.where(first, -0.5, 0.5)[..., None]
        action = torch.rand(TASKS, ROWS, 1, generator=generator) * 2 - 1
        agent.update(Batch(obs, action, (~first).float(), (~first).float(), torch.full_like(obs, 0.5)))
    q = q_of(agent, torch.tensor([-0.5, 0.5])[None, :, None].expand(TASKS, -1, -1), torch.zeros(TASKS, 2, 1))
    assert (q - torch.tensor([0.5, 1.0])).abs().max() < 0.1


def opposite(obs: Tensor, action: Tensor) -> Tensor:
    """Task 0 wants the action 0.6, task 1 the action -0.6: their gradients conflict wherever they share."""
    best = torch.tensor([0.6, -0.6])[:, None]
    return -4.0 * (action.squeeze(-1) - best).square()


@pytest.mark.parametrize("name", KIT_AGENTS)
def test_an_optimum_that_differs_by_task_is_found_in_each(make_agent: MakeAgent, name: str) -> None:
    agent = make_agent(name, tasks=TASKS, obs=1, actions=1, initial_temperature=0.02)
    learn(agent, opposite, 600)
    action = agent.act(probe_obs(), explore=False)
    assert (action[0] - 0.6).abs().max() < 0.25
    assert (action[1] + 0.6).abs().max() < 0.25


def test_an_agent_blind_to_the_task_fails_where_the_optimum_differs() -> None:
    agent = blind_agent()
    learn(agent, opposite, 600)
    action = agent.act(probe_obs(), explore=False)
    torch.testing.assert_close(action[0], action[1])
    assert opposite(probe_obs(), action).mean() < -1.0


OTHER_PIECES = {
    "network": "residual",
    "critic": "categorical",
    "critic_reduction": "mean",
    "obs_scale": "running",
    "reward_scale": "return",
}


def test_the_other_pieces_find_an_optimum_that_differs_by_task(make_agent: MakeAgent) -> None:
    """Residual networks, distributions of scaled returns and scaled observations; task 1's rewards are a hundredth."""
    agent = make_agent("care", tasks=TASKS, obs=1, actions=1, initial_temperature=0.02, **OTHER_PIECES)
    generator = seeded_generator(0)
    for _ in range(600):
        batch = one_step_batch(agent, lambda o, a: opposite(o, a) * torch.tensor([[1.0], [0.01]]), generator)
        agent.observe(batch.obs, batch.reward, torch.ones(TASKS, ROWS, dtype=torch.bool))
        agent.update(batch)
    action = agent.act(probe_obs(), explore=False)
    assert (action[0] - 0.6).abs().max() < 0.25
    assert (action[1] + 0.6).abs().max() < 0.25


def test_a_categorical_critic_predicts_the_scaled_discounted_value(make_agent: MakeAgent) -> None:
    """As above: obs -0.5 leads to 0.5 without reward, which ends with reward 1, scaled to MAX_SCALED_RETURN."""
    settings = {**OTHER_PIECES, "obs_scale": "none", "initial_temperature": 1e-4, "discount": 0.5}
    agent = make_agent("mtsac", tasks=TASKS, obs=1, actions=1, **settings)
    generator = seeded_generator(0)
    for _ in range(400):
        first = torch.arange(ROWS)[None, :].expand(TASKS, -1) % 2 == 0
        obs = torch.where(first, -0.5, 0.5)[..., None]
        action = torch.rand(TASKS, ROWS, 1, generator=generator) * 2 - 1
        batch = Batch(obs, action, (~first).float(), (~first).float(), torch.full_like(obs, 0.5))
        agent.observe(batch.obs, batch.reward, torch.ones(TASKS, ROWS, dtype=torch.bool))
        agent.update(batch)
    at = torch.tensor([-0.5, 0.5])[None, :, None].expand(TASKS, -1, -1)
    with torch.no_grad():
        value = agent.head.value(agent.critic(torch.cat([agent.encoder(at), torch.zeros(TASKS, 2, 1)], dim=-1)))
    assert (value - torch.tensor([MAX_SCALED_RETURN / 2, MAX_SCALED_RETURN])).abs().max() < 0.3


def test_reduced_precision_learns_the_same_answer(make_agent: MakeAgent) -> None:
    agent = make_agent("care", tasks=TASKS, obs=1, actions=1, initial_temperature=0.02, precision="bfloat16")
    learn(agent, opposite, 600)
    action = agent.act(probe_obs(), explore=False)
    assert action.dtype == torch.float32
    assert (action[0] - 0.6).abs().max() < 0.3
    assert (action[1] + 0.6).abs().max() < 0.3
