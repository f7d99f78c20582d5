"""The update's parts against numbers worked out by hand, and properties that hold for every preset."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from agents.aggregators import sums
from agents.base import Batch, seeded_generator
from agents.encoders.plain import PassThrough
from agents.registry.presets import PRESETS
from agents.sac import SAC
from agents.trunks import Trunk
from tests.agents.conftest import MakeAgent, plain_settings, random_batch

KIT_AGENTS = [name for name, preset in PRESETS.items() if preset.in_loop]


class Constant(Trunk):
    """A trunk whose output does not depend on its input: ``values`` (E, out)."""

    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self.values = nn.Parameter(values)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        return self.values[:, None, None, :].expand(-1, *x.shape[:2], -1)


def constant_sac(q: list[float], mask: Tensor | None = None, tasks: int = 2) -> SAC:
    """An agent with a standard-normal-like actor and twin critics that predict ``q``."""
    return SAC(
        PassThrough(1),
        actor=Constant(torch.zeros(1, 4)),
        critic=Constant(torch.tensor(q)[:, None]),
        action_mask=torch.ones(tasks, 2, dtype=torch.bool) if mask is None else mask,
        settings=plain_settings(discount=0.9, polyak=0.25, initial_temperature=0.5, learning_rate=0.1),
        aggregate=sums.mean,
        generator=seeded_generator(0),
    )


def one_row_batch(reward: list[float], terminated: list[float]) -> Batch:
    """Two tasks, one row each."""
    zeros = torch.zeros(2, 1, 1)
    return Batch(zeros, torch.zeros(2, 1, 2), torch.tensor(reward)[:, None], torch.tensor(terminated)[:, None], zeros)


def test_td_target_takes_the_smaller_critic_and_stops_at_termination_only(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = constant_sac([3.0, 5.0])
    monkeypatch.setattr(agent, "_noise", torch.zeros)
    # At u = 0: log pi = 2 dimensions x (-log std - log(2 pi) / 2), log std = the middle of its range, -1.5.
    log_prob = 2 * (1.5 - 0.5 * math.log(2 * math.pi))
    target = agent.td_target(one_row_batch([1.0, 2.0], [0.0, 1.0]))
    assert target[0].item() == pytest.approx(1.0 + 0.9 * (3.0 - 0.5 * log_prob), abs=1e-5)
    assert target[1].item() == pytest.approx(2.0)


def test_critic_loss_is_the_squared_error_of_both_critics(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = constant_sac([3.0, 5.0])
    batch = one_row_batch([1.0, 2.0], [1.0, 1.0])
    loss = agent.update(batch)["critic_loss"]
    # task 0: 2^2 + 4^2, task 1: 1^2 + 3^2
    assert loss.tolist() == pytest.approx([4 + 16, 1 + 9])


def test_polyak_step_by_hand() -> None:
    agent = constant_sac([0.0, 0.0])
    with torch.no_grad():
        agent.critic.values.copy_(torch.tensor([[4.0], [8.0]]))
        agent.target_critic.values.zero_()
    agent._update_targets()
    assert agent.target_critic.values.flatten().tolist() == [1.0, 2.0]
    assert not any(p.requires_grad for p in agent.target_critic.parameters())


def test_temperature_rises_where_entropy_is_too_low_and_falls_where_it_is_too_high() -> None:
    agent = constant_sac([0.0, 0.0])
    # target entropy is -2: a log-probability of 5 is an entropy of -5, too low; of -5, too high
    agent._update_temperature(torch.tensor([[5.0], [-5.0]]))
    low, high = agent.log_temperature.tolist()
    assert low == pytest.approx(math.log(0.5) + 0.1, abs=1e-4)
    assert high == pytest.approx(math.log(0.5) - 0.1, abs=1e-4)


def test_target_entropy_counts_the_dimensions_that_a_task_has() -> None:
    agent = constant_sac([0.0, 0.0], mask=torch.tensor([[True, True], [True, False]]))
    assert agent.target_entropy.tolist() == [-2.0, -1.0]


def test_masked_actions_are_zero_and_do_not_change_learning() -> None:
    """Noise in a dimension that a task does not have must not matter."""
    mask = torch.tensor([[True, False]])
    agents = [constant_sac([0.0, 0.0], mask, tasks=1) for _ in range(2)]
    batch = Batch(torch.zeros(1, 8, 1), torch.zeros(1, 8, 2), torch.ones(1, 8), torch.ones(1, 8), torch.zeros(1, 8, 1))
    results = []
    for agent, scale in zip(agents, (1.0, 100.0), strict=True):
        noise = torch.randn(1, 8, 2, generator=seeded_generator(1)) * torch.tensor([1.0, scale])
        agent._noise = lambda shape, noise=noise: noise  # type: ignore[method-assign]
        assert agent.act(batch.obs, explore=True)[..., 1].abs().max() == 0
        agent.update(batch)
        results.append((agent.log_temperature.detach().clone(), agent.actor.values.detach()[:, [0, 2]].clone()))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", KIT_AGENTS)
def test_every_parameter_moves_in_training(make_agent: MakeAgent, name: str) -> None:
    agent = make_agent(name)
    before = copy.deepcopy(dict(agent.named_parameters()))
    for seed in range(3):
        agent.update(random_batch(3, 32, 4, 2, seed))
    still = [key for key, value in agent.named_parameters() if torch.equal(value, before[key])]
    assert still == []


@pytest.mark.parametrize("name", KIT_AGENTS)
def test_same_seed_same_numbers_and_the_global_generator_is_left_alone(make_agent: MakeAgent, name: str) -> None:
    state = torch.get_rng_state()
    weights = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        agent = make_agent(name)
        for seed in range(3):
            agent.update(random_batch(3, 16, 4, 2, seed))
        weights.append(torch.cat([p.detach().flatten() for p in agent.parameters()]))
        assert torch.equal(torch.get_rng_state(), torch.manual_seed(noise).get_state())
    torch.set_rng_state(state)
    assert torch.equal(*weights)


@pytest.mark.parametrize("name", KIT_AGENTS)
def test_a_subset_of_tasks_acts_as_it_does_among_all(make_agent: MakeAgent, name: str) -> None:
    agent = make_agent(name)
    obs = torch.randn(3, 5, 4, generator=seeded_generator(0))
    everything = agent.act(obs, explore=False)
    some = torch.tensor([2, 0])
    torch.testing.assert_close(agent.act(obs[some], some, explore=False), everything[some])


@pytest.mark.parametrize("name", KIT_AGENTS)
def test_weights_survive_a_round_trip(make_agent: MakeAgent, name: str) -> None:
    agent, other = make_agent(name), make_agent(name, seed=9)
    agent.update(random_batch(3, 16, 4, 2))
    obs = torch.randn(3, 5, 4, generator=seeded_generator(0))
    assert not torch.equal(agent.act(obs, explore=False), other.act(obs, explore=False))
    other.load_state_dict(agent.state_dict())
    assert torch.equal(agent.act(obs, explore=False), other.act(obs, explore=False))


def test_actor_loss_leaves_no_gradient_in_critic_or_encoder(make_agent: MakeAgent) -> None:
    agent = make_agent("care")
    for parameter in agent.parameters():
        parameter.grad = None
    agent._update_actor(agent.encoder(random_batch(3, 8, 4, 2).obs).detach())
    assert all(p.grad is None for module in (agent.critic, agent.encoder) for p in module.parameters())
    assert all(p.grad is not None for p in agent.actor.parameters())


def test_one_task_alone_learns_as_it_does_inside_the_stack(make_agent: MakeAgent) -> None:
    """single-task is T separate runs: from the same weights, data and noise come the same parameters."""
    stack, alone = make_agent("single-task", tasks=3).double(), make_agent("single-task", tasks=1).double()
    which = 1
    with torch.no_grad():
        for (name, many), (_, one) in zip(stack.named_parameters(), alone.named_parameters(), strict=True):
            members = 1 if "actor" in name or "temperature" in name else 2
            one.copy_(many.view(members, 3, *many.shape[1:])[:, which].reshape(one.shape))
    noises = [torch.randn(3, 16, 2, dtype=torch.float64, generator=seeded_generator(k)) for k in range(8)]
    _feed_noise(stack, noises)
    _feed_noise(alone, [noise[which : which + 1] for noise in noises])
    for seed in range(4):
        batch = random_batch(3, 16, 4, 2, seed).apply(Tensor.double)
        stack.update(batch)
        alone.update(batch.apply(lambda field: field[which : which + 1]))
    for (name, many), (_, one) in zip(stack.named_parameters(), alone.named_parameters(), strict=True):
        members = 1 if "actor" in name or "temperature" in name else 2
        inside = many.view(members, 3, *many.shape[1:])[:, which].reshape(one.shape)
        torch.testing.assert_close(inside, one, atol=1e-12, rtol=1e-10)


def _feed_noise(agent: SAC, noises: list[Tensor]) -> None:
    supply = iter(noises)
    agent._noise = lambda shape: next(supply)  # type: ignore[method-assign]


def test_the_learning_rate_is_annealed_linearly(make_agent: MakeAgent) -> None:
    agent = make_agent("mtsac", learning_rate=1.0, final_learning_rate=0.2)
    agent.set_progress(0.25)
    rates = {group["lr"] for o in (agent.critic_optimizer, agent.actor_optimizer) for group in o.param_groups}
    assert list(rates) == [pytest.approx(0.8)]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_actor_learns_from_the_critic_as_it_is_after_its_own_step(make_agent: MakeAgent, precision: str) -> None:
    """Autocast keeps casts of weights: were the critic stepped inside the block, the actor would see the old ones."""
    agent = make_agent("care", precision=precision, learning_rate=0.1)
    batch, calls = random_batch(3, 8, 4, 2), []
    forward = agent.critic.forward

    def watched(x: Tensor, task: Tensor | None = None) -> Tensor:
        out = forward(x, task)
        calls.append((x.detach(), out.detach()))
        return out

    agent.critic.forward = watched  # type: ignore[method-assign]
    agent.update(batch)
    inputs, output = calls[-1]  # the critics' last call in an update is for the actor
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        assert torch.equal(forward(inputs), output)


def test_what_is_inspected_is_what_the_networks_read(make_agent: MakeAgent) -> None:
    """An agent with scaled observations routes them scaled, and shows no other weights."""
    agent = make_agent("care", obs_scale="running", attention="dot-product")
    obs = random_batch(3, 8, 4, 2).obs * 50 + 7
    agent.observe(obs, torch.zeros(3, 8), torch.zeros(3, 8, dtype=torch.bool))
    expected = agent.encoder.inspect(agent.obs_scale(obs))["attention"]
    torch.testing.assert_close(agent.inspect(obs)["attention"], expected)
    assert not torch.allclose(agent.encoder.inspect(obs)["attention"], expected)
