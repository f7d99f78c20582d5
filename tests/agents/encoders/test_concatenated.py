"""The observation with the task's context appended, and a plain agent that reads it."""

from __future__ import annotations

import pytest
import torch

from agents.base import seeded_generator
from agents.build import Sizes, build_agent
from agents.encoders.concatenated import ConcatenatedContext
from agents.encoders.context import ContextNetwork
from agents.registry.compose import settings_type
from agents.registry.presets import PRESETS
from agents.sac import SAC
from tests.agents.conftest import CPU, sentence_vectors

ACTIONS = 2


def agent(name: str, encoder: str, tasks: int = 3) -> SAC:
    settings = settings_type(PRESETS[name], {"encoder": encoder})(hidden=(16,))
    sizes = Sizes(4, torch.ones(tasks, ACTIONS, dtype=torch.bool), sentence_vectors(tasks), False)
    made = build_agent(PRESETS[name], sizes, settings, 0, CPU)
    assert isinstance(made, SAC)
    return made


def test_features_are_the_observation_and_the_tasks_own_context() -> None:
    init = seeded_generator(0)
    made = ConcatenatedContext(2, ContextNetwork(torch.eye(3), True, (6,), 4, init), 4)
    obs, some = torch.randn(2, 7, 2, generator=init), torch.tensor([2, 0])
    features = made(obs, some)
    torch.testing.assert_close(features[..., :2], obs)
    torch.testing.assert_close(features[..., 2:], made.contexts()[some][:, None].expand(-1, 7, -1))
    assert features.shape[-1] == made.size == 6


def test_a_plain_network_that_reads_the_context_acts_on_a_new_task_as_on_one_of_that_context() -> None:
    made, rows = agent("mtsac", "context"), sentence_vectors(3)
    obs = torch.randn(1, 5, 4, generator=seeded_generator(1)).expand(3, -1, -1)
    before = made.act(obs, explore=False)
    made.set_tasks(torch.ones(2, ACTIONS, dtype=torch.bool), rows[[2, 0]])
    torch.testing.assert_close(made.act(obs[:2], explore=False), before[[2, 0]])


def test_task_specific_heads_have_none_for_a_new_task_though_the_encoder_reads_its_context() -> None:
    with pytest.raises(ValueError, match="its trunk has task-specific weights"):
        agent("mtmhsac", "context").set_tasks(torch.ones(2, ACTIONS, dtype=torch.bool), sentence_vectors(2))
