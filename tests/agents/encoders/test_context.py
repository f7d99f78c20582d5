"""CARE's attention sees whatever distinguishes tasks from the start, and generalises to a task that it never saw."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from agents.base import seeded_generator
from agents.build import Sizes, build_agent
from agents.encoders.care import ContextNetwork
from agents.registry.compose import settings_type
from agents.registry.presets import PRESETS
from agents.sac import SAC
from envs.context import Context, context_of
from envs.suite import Task, TaskSuite
from tests.agents.conftest import CPU, MakeAgent, random_batch
from tests.envs.scripted import Scripted

OBS, ACTIONS = 4, 2
KINDS = ["text", "numbers", "onehot", "learned", "text+learned", "text+numbers+learned", "onehot+learned"]


def tasks_of(*gravities: float) -> list[Task]:
    """Tasks that differ in a number and in their sentences."""
    return [
        Task(f"g{g}", lambda: Scripted([]), f"Swing up {'slowly ' * k}under gravity {g}.", parameters={"gravity": g})
        for k, g in enumerate(gravities)
    ]


TRAINED, NEW = tasks_of(2.0, 5.0, 11.0), tasks_of(3.0, 20.0)
SUITE = TaskSuite("pendulums", TRAINED, held_out=NEW)


def care(context: Context, rows: Tensor, seed: int = 0) -> SAC:
    """A small CARE for tasks of which ``rows`` are known."""
    settings = settings_type(PRESETS["care"])(hidden=(32, 32), encoder_hidden=(16,), encoder_size=16, context_size=8)
    mask = torch.ones(len(rows), ACTIONS, dtype=torch.bool)
    return build_agent(PRESETS["care"], Sizes(OBS, mask, rows, context.learned), settings, seed, CPU)


def trained(kind: str) -> tuple[SAC, Context]:
    """A CARE for the three tasks, after a few updates on noise."""
    context = context_of(SUITE, kind)
    agent = care(context, torch.as_tensor(context.tasks))
    for k in range(5):
        agent.update(random_batch(3, 8, OBS, ACTIONS, seed=k))
    return agent, context


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_agent_attends_differently_to_every_task(kind: str) -> None:
    context = context_of(SUITE, kind)
    weights = care(context, torch.as_tensor(context.tasks)).inspect(torch.zeros(3, 1, OBS))["attention"]
    apart = (weights[:, None] - weights[None]).abs().amax(dim=-1)
    assert apart[~torch.eye(3, dtype=torch.bool)].min() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_a_learned_row_starts_at_zero_beside_what_is_known_and_at_random_alone(kind: str) -> None:
    context = context_of(SUITE, kind)
    network = ContextNetwork(torch.as_tensor(context.tasks), context.learned, (8,), 4, seeded_generator(0))
    if kind == "learned":
        assert isinstance(network.known, nn.Parameter)
        assert network.known.std() > 0.5
        assert network.own is None
    else:
        assert not isinstance(network.known, nn.Parameter)
        assert (network.own is not None) == ("learned" in kind)
        assert network.own is None or not network.own.any()


@pytest.mark.parametrize("kind", KINDS)
def test_training_changes_what_is_learned_and_leaves_what_is_known(kind: str) -> None:
    agent, context = trained(kind)
    fresh = care(context, torch.as_tensor(context.tasks))
    same = torch.equal(agent.encoder.context.known, fresh.encoder.context.known)
    assert same == (kind != "learned")
    if "learned" in kind and kind != "learned":
        assert agent.encoder.context.own.abs().amin(dim=1).min() > 0


@pytest.mark.parametrize("kind", ["text", "numbers", "text+learned", "text+numbers+learned", "text+onehot"])
def test_a_new_task_is_answered_as_by_an_agent_that_was_built_with_it(kind: str) -> None:
    agent, context = trained(kind)
    rows = torch.as_tensor(context.held_out)
    other = care(context, rows, seed=1)
    own_rows = ("log_temperature", "context.known", "context.own")
    weights = {name: w for name, w in agent.state_dict().items() if not name.endswith(own_rows)}
    kept = other.load_state_dict(weights, strict=False)
    assert all(name.endswith(own_rows) for name in kept.missing_keys)
    agent.set_tasks(torch.ones(2, ACTIONS, dtype=torch.bool), rows)
    obs = torch.randn(2, 6, OBS, generator=seeded_generator(3))
    torch.testing.assert_close(agent.act(obs, explore=False), other.act(obs, explore=False), rtol=0, atol=0)
    first, second = agent.act(obs[:1].expand(2, -1, -1), explore=False)
    assert not torch.equal(first, second)


def test_a_trained_task_met_again_is_answered_as_before_but_for_its_learned_row() -> None:
    obs = torch.randn(3, 6, OBS, generator=seeded_generator(3))
    for kind, same in (("text", True), ("text+learned", False)):
        agent, context = trained(kind)
        before = agent.act(obs, explore=False)
        agent.set_tasks(torch.ones(3, ACTIONS, dtype=torch.bool), torch.as_tensor(context.tasks))
        assert torch.equal(agent.act(obs, explore=False), before) == same


def test_a_new_tasks_action_mask_is_its_own() -> None:
    agent, context = trained("text")
    agent.set_tasks(torch.tensor([[True, False], [True, True]]), torch.as_tensor(context.held_out))
    action = agent.act(torch.randn(2, 5, OBS, generator=seeded_generator(3)), explore=False)
    assert not action[0, :, 1].any()
    assert action[0, :, 0].all()
    assert action[1].all()


@pytest.mark.parametrize("name", ["mtsac", "mtmhsac", "single-task"])
def test_an_agent_that_reads_no_context_refuses_new_tasks(make_agent: MakeAgent, name: str) -> None:
    agent = make_agent(name)
    with pytest.raises(ValueError, match="no context"):
        agent.set_tasks(torch.ones(2, ACTIONS, dtype=torch.bool), torch.zeros(2, 12))


def test_a_context_that_was_learned_row_by_row_has_none_for_a_new_task() -> None:
    agent, context = trained("learned")
    with pytest.raises(ValueError, match="learned"):
        agent.set_tasks(torch.ones(2, ACTIONS, dtype=torch.bool), torch.as_tensor(context.held_out))


def test_a_number_far_outside_the_trained_range_is_answered_otherwise_than_its_edge() -> None:
    """Nothing clips it: scores of held-out tasks show what an agent makes of it."""
    agent, context = trained("numbers")
    edge = torch.as_tensor(context.tasks).amax(dim=0)
    agent.set_tasks(torch.ones(2, ACTIONS, dtype=torch.bool), torch.stack([edge, 3 * edge]))
    obs = torch.randn(1, 6, OBS, generator=seeded_generator(3)).expand(2, -1, -1)
    at_edge, far = agent.act(obs, explore=False)
    assert not torch.equal(at_edge, far)
