"""What a diagnosis finds in agents whose state is known, and that it does not change them."""

from __future__ import annotations

import copy

import pytest
import torch

from agents.base import Batch, seeded_generator
from agents.build import MAX_SCALED_RETURN
from agents.diagnostics.overestimation import overestimation
from agents.registry.presets import PRESETS
from agents.replay import Replay
from agents.sac import SAC
from tests.agents.conftest import MakeAgent, random_batch

KIT_AGENTS = [name for name, preset in PRESETS.items() if preset.in_loop]
EVERYONE = {"loss_share", "dormant_share", "dormant_share/critic", "dormant_share/actor", "effective_rank"}
SHARING = {
    *("gradient_cosine", "gradient_norm", "gradient_norm_ratio", "conflict_rate"),
    *("actor_gradient_cosine", "actor_conflict_rate"),
}
READING = {"context_similarity", "dormant_share/encoder"}
OF_ENCODER = {
    "care": {*READING, "attention_information"},
    "care-brc": {*READING, "attention_information"},
    "film": READING,
    "hyper": READING,
    "bayes": {"context_similarity"},
}
ALONE = {name for name, preset in PRESETS.items() if preset.pieces.get("trunk") == "separate"}


def diagnosed(agent: SAC, batch: Batch, history: Batch | None = None) -> dict[str, torch.Tensor]:
    return agent.diagnose(batch, history, seeded_generator(7))


@pytest.mark.parametrize("name", KIT_AGENTS)
@pytest.mark.parametrize("network", ["mlp", "residual"])
def test_each_agent_is_asked_for_what_it_has(make_agent: MakeAgent, name: str, network: str) -> None:
    found = diagnosed(make_agent(name, network=network), random_batch(3, 16, 4, 2))
    expected = EVERYONE | (set() if name in ALONE else SHARING) | OF_ENCODER.get(name, set())
    assert found.keys() == expected
    assert all(not tensor.requires_grad and tensor.isfinite().all() for tensor in found.values())
    assert found["loss_share"].sum().item() == pytest.approx(1.0)


@pytest.mark.parametrize("name", KIT_AGENTS)
def test_a_diagnosis_changes_nothing_of_what_is_learned(make_agent: MakeAgent, name: str) -> None:
    """Bit for bit, with running scales and reduced precision too, and the global generator is not asked."""
    settings = {"obs_scale": "running", "reward_scale": "return", "critic": "categorical"}
    watched, alone = make_agent(name, **settings), make_agent(name, **settings)
    batch, before = random_batch(3, 16, 4, 2), torch.get_rng_state()
    history = random_batch(3, 9, 4, 2, seed=1).apply(lambda part: part[:, None])
    for _ in range(3):
        watched.update(batch)
        gradients = copy.deepcopy([p.grad for p in watched.parameters()])
        found = diagnosed(watched, batch, history)
        for kept, p in zip(gradients, watched.parameters(), strict=True):
            assert kept is None or torch.equal(kept, p.grad)
        alone.update(batch)
    assert found["q_overestimation"].isfinite().all()
    mine, theirs = watched.state_dict(), alone.state_dict()
    assert all(torch.equal(mine[key], theirs[key]) for key in mine)
    assert torch.equal(watched.generator.get_state(), alone.generator.get_state())
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(module._forward_pre_hooks for module in watched.modules())


def test_a_diagnosis_leaves_no_graph_of_its_batch_behind(make_agent: MakeAgent) -> None:
    agent = make_agent("care", attention_sparsity=0.1)
    diagnosed(agent, random_batch(3, 16, 4, 2))
    assert agent.encoder.auxiliary_loss() is None


def test_the_same_generator_finds_the_same(make_agent: MakeAgent) -> None:
    agent, batch = make_agent("care"), random_batch(3, 16, 4, 2)
    once, again = diagnosed(agent, batch), diagnosed(agent, batch)
    assert all(torch.equal(once[name], again[name]) for name in once)


@pytest.mark.parametrize("name", ["care", "mtsac", "mtmhsac"])
def test_the_tasks_gradients_add_up_to_the_updates(make_agent: MakeAgent, name: str) -> None:
    """The mean of the losses has the mean of the gradients, on the part that is reported as shared."""
    agent, batch = make_agent(name, initial_temperature=1e-30), random_batch(3, 16, 4, 2)
    norms = diagnosed(agent, batch)
    shared = agent.encoder.shared_parameters() or agent.critic.shared_parameters()
    agent.generator = seeded_generator(7)
    target = agent.td_target(batch)
    losses, _ = agent.critic_losses(agent.encoder(batch.obs), batch.action, target)
    for t, loss in enumerate(losses):
        own = torch.autograd.grad(loss, shared, retain_graph=True, allow_unused=True, materialize_grads=True)
        norm = torch.cat([part.flatten() for part in own]).norm()
        assert norms["gradient_norm"][t].item() == pytest.approx(norm.item(), rel=1e-4)
    torch.testing.assert_close(norms["loss_share"], losses.detach() / losses.detach().sum())


@pytest.mark.parametrize("name", KIT_AGENTS)
def test_parameters_reported_as_shared_are_those_that_two_tasks_move(make_agent: MakeAgent, name: str) -> None:
    agent = make_agent(name, tasks=2)
    with torch.no_grad():
        for parameter in agent.parameters():  # some start at zero, behind which there is no gradient
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=seeded_generator(3)))
    obs = random_batch(2, 8, 4, 2).obs
    z = agent.encoder(obs).detach()
    found = 0
    for part, out in (
        (agent.encoder, agent.encoder(obs)),
        (agent.actor, agent.actor(z)[0]),
        (agent.critic, agent.critic(torch.cat([z, torch.ones(2, 8, 2)], dim=-1)).sum(dim=0)),
    ):
        parameters, shared = [*part.parameters()], {id(p) for p in part.shared_parameters()}
        if not parameters:
            continue
        one, other = (
            torch.autograd.grad(
                out[task].square().sum(), parameters, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            for task in range(2)
        )
        both = {id(p) for p, a, b in zip(parameters, one, other, strict=True) if (a * b).abs().sum() > 0}
        assert shared == both
        found += len(shared)
    assert bool(found) == (name not in ALONE)


def test_one_task_has_nobody_to_conflict_with(make_agent: MakeAgent) -> None:
    found = diagnosed(make_agent("mtsac", tasks=1), random_batch(1, 16, 4, 2))
    assert found.keys() == EVERYONE
    assert found["loss_share"].tolist() == [1.0]


def test_a_dead_layer_is_found(make_agent: MakeAgent) -> None:
    """Without layer norm, half of the actor's last hidden units are pushed below zero; every share is of its units."""
    agent, batch = make_agent("mtsac", layer_norm=False), random_batch(3, 16, 4, 2)
    before = diagnosed(agent, batch)
    with torch.no_grad():
        agent.actor.mlp.layers[1].bias[..., :16] = -1e3
    after = diagnosed(agent, batch)
    alive = 32 - round(before["dormant_share/actor"].item() * 64)
    assert after["dormant_share/actor"].item() >= 16 / 64
    assert after["dormant_share/actor"] > before["dormant_share/actor"]
    assert after["dormant_share/critic"] == before["dormant_share/critic"]
    assert alive > 0


def test_the_rank_is_that_of_what_the_critics_last_layer_reads(make_agent: MakeAgent) -> None:
    """Weights that hand the same number to all 32 units leave one direction."""
    agent, batch = make_agent("mtsac", layer_norm=False), random_batch(3, 16, 4, 2)
    assert diagnosed(agent, batch)["effective_rank"] > 3
    with torch.no_grad():
        last = agent.critic.mlp.layers[1]
        last.weight.copy_(last.weight.abs().mean(dim=2, keepdim=True).expand_as(last.weight))
        last.bias.zero_()
    assert diagnosed(agent, batch)["effective_rank"].item() == pytest.approx(1.0, abs=1e-2)


def steps(replay: Replay, count: int, reward: float, last: float = 0.0) -> Batch:
    """Steps that follow one another in one copy of one task; ``last`` is whether the last one terminates."""
    for k in range(count):
        obs, end = torch.full((1, 1, 1), float(k)), torch.full((1, 1), last * (k == count - 1))
        replay.add(obs, torch.zeros(1, 1, 1), torch.full((1, 1), reward), end, obs + 1)
    return replay.history(count, 1, 1)


def constant_critics(agent: SAC, value: float) -> SAC:
    with torch.no_grad():
        agent.critic.mlp.layers[-1].weight.zero_()
        agent.critic.mlp.layers[-1].bias.fill_(value)
        agent.log_temperature.fill_(-60.0)
    return agent


def test_overestimation_is_the_critics_prediction_minus_the_return(make_agent: MakeAgent) -> None:
    """Four steps of reward 1, then the end; discount .5: returns 1.875 and 1.75 at the two steps of the first half."""
    agent = constant_critics(make_agent("mtsac", tasks=1, obs=1, actions=1, discount=0.5), 3.0)
    history = steps(Replay(1, 8, 1, 1, seeded_generator(0)), 4, 1.0, last=1.0)
    assert overestimation(agent, history).tolist() == pytest.approx([3.0 - (1.875 + 1.75) / 2])


def test_the_critics_bootstrap_after_the_last_step(make_agent: MakeAgent) -> None:
    """Reward 1 for ever is worth 2 at discount .5: critics that predict it are right wherever the steps are cut."""
    agent = constant_critics(make_agent("mtsac", tasks=1, obs=1, actions=1, discount=0.5), 2.0)
    history = steps(Replay(1, 8, 1, 1, seeded_generator(0)), 4, 1.0)
    assert overestimation(agent, history).tolist() == pytest.approx([0.0], abs=1e-6)
    jump = history._replace(obs=history.obs + torch.tensor([0.0, 0.0, 9.0, 9.0])[None, None, :, None])
    assert overestimation(agent, jump).tolist() == pytest.approx([0.0], abs=1e-6)
    agent = constant_critics(agent, 4.0)  # 2 too much at the cut counts for .5^2 and .5 of it two and one steps before
    assert overestimation(agent, jump).tolist() == pytest.approx([4.0 - (2.5 + 3.0) / 2])


def test_entropy_counts_at_every_later_step(make_agent: MakeAgent) -> None:
    """With rewards of 0 and one termination after two steps, only the bonus of the state between is left."""
    agent = constant_critics(make_agent("mtsac", tasks=1, obs=1, actions=1, discount=0.5), 0.0)
    history = steps(Replay(1, 8, 1, 1, seeded_generator(0)), 2, 0.0, last=1.0)
    with torch.no_grad():
        agent.log_temperature.fill_(0.0)
        agent.generator = seeded_generator(3)
        log_prob = agent.sample(agent.encoder(history.next_obs.flatten(1, 2)))[1][0, 0]
    agent.generator = seeded_generator(3)
    assert overestimation(agent, history).item() == pytest.approx(0.5 * log_prob.item())


def test_overestimation_is_in_the_tasks_own_units(make_agent: MakeAgent) -> None:
    """Rewards are divided by 50 inside: a value of 3 there is one of 150 outside."""
    agent = constant_critics(make_agent("mtsac", tasks=1, obs=1, actions=1, discount=0.5, reward_scale="return"), 3.0)
    agent.reward_scale.largest.fill_(50.0 * MAX_SCALED_RETURN)
    history = steps(Replay(1, 8, 1, 1, seeded_generator(0)), 4, 50.0, last=1.0)
    assert overestimation(agent, history).tolist() == pytest.approx([150.0 - 50 * (1.875 + 1.75) / 2], rel=1e-5)


def rows(reward_sign: torch.Tensor, generator: torch.Generator, count: int) -> Batch:
    """A point on a line that an action moves by up to .3; the reward is where it ends, with the task's sign."""
    obs, action = (torch.rand(2, count, 1, generator=generator) * 2 - 1 for _ in range(2))
    after = (obs + 0.3 * action).clamp(-1.0, 1.0)
    return Batch(obs, action, reward_sign[:, None] * after.squeeze(-1), torch.zeros(2, count), after)
