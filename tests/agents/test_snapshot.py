"""A run that is interrupted and resumed has, to the last bit, the numbers of one that was not."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch

from agents.base import Batch, restore_generator, seeded_generator
from agents.replay import Replay
from agents.sac import SAC
from tests.agents.conftest import MakeAgent, random_batch

SCALED = {"obs_scale": "running", "reward_scale": "return", "gradient_norm": 1.0}


def train(agent: SAC, replay: Replay, steps: range) -> list[torch.Tensor]:
    """Act, step and learn; rewards and ends follow from action and step, so that only the agent's state counts."""
    losses = []
    for step in steps:
        obs = torch.sin(torch.arange(24.0).view(3, 2, 4) + step)
        action = agent.act(obs, explore=True)
        reward = action.sum(dim=-1) + step
        ended = torch.full((3, 2), step % 4 == 3)
        replay.add(obs, action, reward, ended, obs + 1)
        agent.observe(obs, reward, ended)
        agent.set_progress(step / 20)
        losses.append(agent.update(replay.sample(8))["critic_loss"])
    return losses


def new_replay(seed: int = 0) -> Replay:
    return Replay(3, 14, 4, 2, seeded_generator(seed))


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("name", ["care", "mtsac", "mtmhsac", "single-task"])
def test_a_resumed_run_is_bit_equal_to_an_uninterrupted_one(make_agent: MakeAgent, name: str) -> None:
    uninterrupted, replay = make_agent(name, **SCALED), new_replay()
    train(uninterrupted, replay, range(9))  # not at the end of an episode, and past the replay's seam
    state = through_a_file({"agent": uninterrupted.training_state(), "replay": replay.state_dict()})
    expected = train(uninterrupted, replay, range(9, 20))

    resumed, other = make_agent(name, seed=9, **SCALED), new_replay(seed=9)
    train(resumed, new_replay(), range(2))  # its earlier state does not matter
    resumed.load_training_state(state["agent"])
    other.load_state_dict(state["replay"])
    found = train(resumed, other, range(9, 20))
    assert all(torch.equal(one, two) for one, two in zip(expected, found, strict=True))
    mine = resumed.state_dict()
    assert all(torch.equal(value, mine[key]) for key, value in uninterrupted.state_dict().items())


def test_a_state_does_not_change_with_the_agent_that_it_came_from_or_went_to(make_agent: MakeAgent) -> None:
    agent, batch = make_agent("care", **SCALED), random_batch(3, 8, 4, 2)
    agent.update(batch)
    state = agent.training_state()
    kept = through_a_file(state)
    other = make_agent("care", seed=3, **SCALED)
    other.load_training_state(state)
    for one in (agent, other):
        one.update(batch)
    assert_same(state, kept)


def test_a_replay_refuses_rows_of_another_shape() -> None:
    replay = new_replay()
    replay.add(*_rows(replay))
    with pytest.raises(ValueError, match="do not fit"):
        Replay(2, 14, 4, 2, seeded_generator(0)).load_state_dict(replay.state_dict())


def _rows(replay: Replay) -> Batch:
    batch = random_batch(3, 2, 4, 2)
    return batch[:5]  # type: ignore[return-value]


def assert_same(one: Any, other: Any) -> None:
    """Nested tables of tensors and numbers are equal."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    else:
        assert one == other or repr(one) == repr(other)


def test_the_state_of_another_devices_generator_seeds_this_one() -> None:
    """A CUDA generator's state has 16 bytes, a CPU one's thousands."""
    first, second = (seeded_generator(seed) for seed in (0, 1))
    for generator in (first, second):
        restore_generator(generator, torch.arange(16, dtype=torch.uint8))
    assert torch.equal(torch.rand(3, generator=first), torch.rand(3, generator=second))
    restore_generator(first, second.get_state())
    assert torch.equal(torch.rand(3, generator=first), torch.rand(3, generator=second))
