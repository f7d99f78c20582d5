"""Twin tasks must help each other: the same number of transitions per task teaches more where tasks share."""

from __future__ import annotations

import numpy as np
import torch

from agents.base import Batch, seeded_generator
from agents.build import Sizes, build_agent
from agents.registry.compose import settings_type
from agents.registry.presets import PRESETS
from agents.sac import SAC
from tests.agents.conftest import CPU, sentence_vectors

TWINS, ROWS = 4, 6


def agent_for_twins(name: str, seed: int) -> SAC:
    """All tasks have the same sentence and nothing else that distinguishes them."""
    sizes = Sizes(1, torch.ones(TWINS, 1, dtype=torch.bool), sentence_vectors(1).expand(TWINS, -1), False)
    shape = {"hidden": (32, 32), "learning_rate": 3e-3, "final_learning_rate": 3e-3}
    care = {"encoders": 2, "encoder_hidden": (16,), "encoder_size": 16, "context_size": 8, "context_hidden": (16,)}
    settings = settings_type(PRESETS[name])(**shape, **(care if name == "care" else {}))
    return build_agent(PRESETS[name], sizes, settings, seed, CPU)


def batch_of(obs: torch.Tensor) -> Batch:
    """Episodes of one step whose reward is sin(3 obs), whatever the action."""
    return Batch(obs, torch.zeros_like(obs), torch.sin(3 * obs).squeeze(-1), torch.ones(obs.shape[:2]), obs)


def area_under_curve(name: str, seed: int) -> float:
    """Memorise six transitions of each task; the mean over training of 1 - error / variance on new ones."""
    agent, generator = agent_for_twins(name, seed), seeded_generator(seed)
    known = batch_of(torch.rand(TWINS, ROWS, 1, generator=generator) * 2 - 1)
    new = batch_of(torch.linspace(-1, 1, 41)[None, :, None].expand(TWINS, -1, -1))
    curve = []
    for _ in range(8):
        for _ in range(20):
            agent.update(known)
        with torch.no_grad():
            predicted = agent.head.value(agent.critic(torch.cat([agent.encoder(new.obs), new.action], dim=-1)))
        curve.append(1 - ((predicted - new.reward).square().mean() / new.reward.var()).item())
    return float(np.mean(curve))


def test_twins_that_share_know_more_than_each_alone() -> None:
    """Transfer (AUC - AUC alone) / (1 - AUC alone) of three draws; six draws lay between .66 and .94."""
    shared = [area_under_curve("care", seed) for seed in range(3)]
    alone = [area_under_curve("single-task", seed) for seed in range(3)]
    transfer = [(many - one) / (1 - one) for many, one in zip(shared, alone, strict=True)]
    assert min(transfer) > 0.4, (shared, alone)
