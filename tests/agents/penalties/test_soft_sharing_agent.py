"""Soft sharing between its two ends: tasks alone, and tasks as one."""

from __future__ import annotations

from typing import Any

import torch

from agents.build import Sizes, build_agent
from agents.checks.trial import noisy_batch
from agents.registry.compose import settings_type
from agents.registry.presets import PRESETS

CPU = torch.device("cpu")


def trained(name: str, updates: int, **settings: Any) -> Any:
    sizes = Sizes(4, torch.ones(3, 2, dtype=torch.bool), torch.eye(3, 6))
    kind = settings_type(PRESETS[name])
    agent: Any = build_agent(PRESETS[name], sizes, kind(hidden=(16, 16), **settings), 0, CPU)
    for seed in range(updates):
        agent.update(noisy_batch(seed))
    return agent


def test_with_weight_zero_it_is_single_task_bit_for_bit() -> None:
    alone, soft = trained("single-task", 5), trained("soft-sharing", 5, sharing_weight=0.0)
    for one, two in zip(alone.state_dict().values(), soft.state_dict().values(), strict=True):
        assert torch.equal(one, two)


def test_with_a_large_weight_all_tasks_have_one_function() -> None:
    obs = noisy_batch(0).obs[:1].expand(3, -1, -1)
    spread = []
    for weight in (0.0, 1e4):
        action = trained("soft-sharing", 300, sharing_weight=weight, learning_rate=3e-3).act(obs, explore=False)
        spread.append(float((action - action.mean(dim=0)).abs().mean()))
    assert spread[1] < 0.05 * spread[0]
