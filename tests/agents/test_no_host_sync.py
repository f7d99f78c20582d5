"""Nothing in sampling, acting or the update reads a number back from the device."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from agents.base import seeded_generator
from agents.presets import PRESETS
from agents.replay import Replay
from tests.agents.conftest import MakeAgent, random_batch

# What makes the host wait on a GPU: reading a scalar, and results whose size depends on values.
WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "equal")


class Recorder(TorchDispatchMode):
    """Writes down the name of every operation."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if preset.builder])
def test_the_update_never_waits_for_the_host(make_agent: MakeAgent, name: str) -> None:
    agent = make_agent(name)
    batch = random_batch(3, 16, 4, 2)
    replay = Replay(3, 64, 4, 2, seeded_generator(0))
    agent.update(batch)  # the optimisers make their state at the first step
    with Recorder() as recorder:
        replay.add(batch.obs, batch.action, batch.reward, batch.terminated, batch.next_obs)
        agent.act(batch.obs, explore=True)
        agent.update(replay.sample(16))
    assert "baddbmm" in recorder.names
    assert [name for name in recorder.names if name.startswith(WAITING)] == []


def test_the_recorder_notices_a_wait() -> None:
    with Recorder() as recorder:
        torch.ones(1).item()
    assert "_local_scalar_dense" in recorder.names
