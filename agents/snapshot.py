"""Everything of an agent that changes while it trains, out of it and back, so that a run can be continued exactly."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from agents.sac import SAC


def training_state(agent: SAC) -> dict[str, Any]:
    """Return copies of an agent's weights, optimisers and generator.

    Among the weights are targets, running scales and what an aggregator learns; ``buffers`` are those that no file of
    weights holds, such as the returns of episodes that are still open.
    """
    return copy.deepcopy(
        {
            "weights": agent.state_dict(),
            "buffers": _unsaved_buffers(agent),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in agent.optimizers.items()},
            "generator": agent.generator.get_state(),
        }
    )


def load_training_state(agent: SAC, state: dict[str, Any]) -> None:
    """Put an agent of the same pieces and sizes into a state; nothing of the state is shared with it afterwards."""
    agent.load_state_dict(state["weights"])
    for name, value in state["buffers"].items():
        owner, _, attribute = name.rpartition(".")
        setattr(agent.get_submodule(owner), attribute, value.to(agent.generator.device, copy=True))
    for name, optimizer in agent.optimizers.items():
        optimizer.load_state_dict(copy.deepcopy(state["optimizers"][name]))  # it would keep the tensors
    agent.generator.set_state(state["generator"])


def _unsaved_buffers(agent: SAC) -> dict[str, Tensor]:
    saved = agent.state_dict()
    return {name: buffer for name, buffer in agent.named_buffers() if name not in saved}
