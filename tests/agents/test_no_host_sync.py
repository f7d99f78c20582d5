"""Nothing in sampling, acting or the update reads a number back from the device."""

from __future__ import annotations

import pytest
import torch

from agents.base import seeded_generator
from agents.checks.properties import Recorder
from agents.registry.presets import PRESETS
from agents.replay import Replay
from tests.agents.conftest import MakeAgent, random_batch


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if preset.in_loop])
def test_the_update_never_waits_for_the_host(make_agent: MakeAgent, name: str) -> None:
    agent = make_agent(name)
    batch = random_batch(3, 16, 4, 2)
    replay = Replay(3, 64, 4, 2, seeded_generator(0))
    agent.update(batch)  # the optimisers create their state at the first step
    with Recorder() as recorder:
        replay.add(batch.obs, batch.action, batch.reward, batch.terminated, batch.next_obs)
        agent.act(batch.obs, explore=True)
        agent.update(replay.sample(16))
    assert "baddbmm" in recorder.names
    assert recorder.waits == []


def test_the_recorder_notices_a_wait() -> None:
    with Recorder() as recorder:
        torch.ones(1).item()
    assert "_local_scalar_dense" in recorder.names
