"""Small agents for tests: the sizes of a suite made up here, and the settings that learn in seconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from agents.base import Batch
from agents.build import Sizes, build_agent
from agents.registry.compose import SLOTS, settings_type
from agents.registry.lookup import resolve_agent
from agents.registry.settings import SACSettings
from agents.sac import SAC

CPU = torch.device("cpu")
SMALL = {
    "hidden": (32, 32),
    "learning_rate": 3e-3,
    "final_learning_rate": 3e-3,
    "polyak": 0.05,
    "encoder_hidden": (16,),
    "encoder_size": 16,
    "context_size": 8,
    "context_hidden": (16,),
    "film_hidden": (16,),
    "film_size": 16,
}
MakeAgent = Callable[..., SAC]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def make_agent() -> MakeAgent:
    """Build an agent small: ``make_agent("care", tasks=3, obs=4, actions=2, trunk="multi-head", **settings)``."""

    def make(
        name: str,
        tasks: int = 3,
        obs: int = 4,
        actions: int = 2,
        seed: int = 0,
        device: torch.device = CPU,
        **settings: Any,
    ) -> SAC:
        spec = resolve_agent(name)
        kind = settings_type(spec, {slot: settings[slot] for slot in SLOTS if slot in settings})
        known = {field.name for field in dataclasses.fields(kind)}
        chosen = {**{k: v for k, v in SMALL.items() if k in known}, **settings}
        mask = torch.ones(tasks, actions, dtype=torch.bool)
        agent = build_agent(spec, Sizes(obs, mask, sentence_vectors(tasks)), kind(**chosen), seed, device)
        assert isinstance(agent, SAC)
        return agent

    return make


def sentence_vectors(tasks: int, size: int = 12) -> torch.Tensor:
    """Distinct unit vectors (T, size)."""
    vectors = torch.randn(tasks, size, generator=torch.Generator().manual_seed(5))
    return vectors / vectors.norm(dim=1, keepdim=True)


def random_batch(tasks: int, rows: int, obs: int, actions: int, seed: int = 0) -> Batch:
    """A batch of noise."""
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    return Batch(
        obs=noise(tasks, rows, obs),
        action=torch.tanh(noise(tasks, rows, actions)),
        reward=noise(tasks, rows),
        terminated=(noise(tasks, rows) > 1.0).float(),
        next_obs=noise(tasks, rows, obs),
    )


def plain_settings(**changes: Any) -> SACSettings:
    """The settings of a small SAC."""
    return dataclasses.replace(SACSettings(hidden=(32, 32)), **changes)
