"""Everything of an agent that changes while it trains, out of it and back, so that a run can be continued exactly."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

Optimizers = Mapping[str, torch.optim.Optimizer]


def training_state(agent: nn.Module, optimizers: Optimizers, generator: torch.Generator) -> dict[str, Any]:
    """Return copies of an agent's weights, optimisers and generator.

    Among the weights are targets, running scales and what an aggregator learns; ``buffers`` are those that no file of
    weights holds, such as the returns of episodes that are still open.
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
    """Put an agent of the same pieces and sizes into a state; nothing of the state is shared with it afterwards."""
    agent.load_state_dict(state["weights"])
    for name, value in state["buffers"].items():
        owner, _, attribute = name.rpartition(".")
        setattr(agent.get_submodule(owner), attribute, value.to(generator.device, copy=True))
    for name, optimizer in optimizers.items():
        optimizer.load_state_dict(copy.deepcopy(state["optimizers"][name]))  # it would keep the tensors
    generator.set_state(state["generator"])


def _unsaved_buffers(agent: nn.Module) -> dict[str, Tensor]:
    saved = agent.state_dict()
    return {name: buffer for name, buffer in agent.named_buffers() if name not in saved}
