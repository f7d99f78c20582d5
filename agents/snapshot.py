"""Saves and restores everything that training changes in an agent, so that a run can be resumed exactly."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from agents.base import restore_generator

Optimizers = Mapping[str, torch.optim.Optimizer]


def training_state(agent: nn.Module, optimizers: Optimizers, generator: torch.Generator) -> dict[str, Any]:
    """Return copies of an agent's weights, optimisers and generator.

    The weights include targets, running scales and what an aggregator learns; ``buffers`` are those that files of
    weights do not hold, such as the returns of unfinished episodes.
    """
    return copy.deepcopy(
        {
            "weights": agent.state_dict(),
            "buffers": _unsaved_buffers(agent),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in optimizers.items()},
            "generator": generator.get_state(),
        }
    )


def load_training_state(
    agent: nn.Module, optimizers: Optimizers, generator: torch.Generator, state: dict[str, Any]
) -> None:
    """Restore the state of an agent of the same pieces and sizes; it shares no memory with ``state`` afterwards."""
    agent.load_state_dict(state["weights"])
    for name, value in state["buffers"].items():
        owner, _, attribute = name.rpartition(".")
        setattr(agent.get_submodule(owner), attribute, value.to(generator.device, copy=True))
    for name, optimizer in optimizers.items():
        optimizer.load_state_dict(copy.deepcopy(state["optimizers"][name]))  # it would keep references to the tensors
    restore_generator(generator, state["generator"])


def _unsaved_buffers(agent: nn.Module) -> dict[str, Tensor]:
    saved = agent.state_dict()
    return {name: buffer for name, buffer in agent.named_buffers() if name not in saved}
