"""The networks of a trained agent in a new one, whose tasks may be others.

What all tasks share is taken as it is. What a task has of its own (heads, codes, adapters, its temperature, its running
scales) is taken where the task was trained; a new task begins with the mean over those that were. Contexts are the new
agent's, and so are optimisers and the aggregator, which begin afresh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

AGGREGATOR, PENALTY = "aggregate.", "penalty."  # what the names of their weights begin with


class WarmStartError(ValueError):
    """What was trained does not fit; the message is one line."""


def warm_start(agent: Any, weights: Mapping[str, Tensor], rows: Sequence[int | None], larger: Any) -> None:
    """Put a trained agent's ``weights`` into ``agent``, an ``agents.sac.SAC``.

    ``rows`` says for each of its tasks which of the trained ones it is, None for a new one. ``larger`` is the same
    agent built for a task more, which shows whose shape is a matter of tasks. Raises ``WarmStartError`` where shapes do
    not fit, and where the networks have an input for each task, which a new one has not.
    """
    trained = len(weights["log_temperature"])
    shapes = {name: weight.shape for name, weight in larger.state_dict().items()}
    own = _own_names(agent)
    kept = {}
    for name, mine in agent.state_dict().items():
        if name.startswith((AGGREGATOR, PENALTY)):
            kept[name] = mine
            continue
        if name not in weights:
            raise WarmStartError(f"it has no {name}; leave the settings as they were")
        theirs = weights[name].to(mine.device)
        if shapes[name] == mine.shape or [*rows] == [*range(trained)]:
            kept[name] = _fitting(name, theirs, mine)
        elif name in own:
            kept[name] = _fitting(name, rows_for(theirs, trained, rows), mine)
        elif name in dict(agent.named_parameters()):
            raise WarmStartError(
                f"its {name} has an input for each task, and none for a new one; begin from --agent care, or another "
                "that reads the context, such as --encoder context"
            )
        else:
            kept[name] = mine  # what is known of the tasks, which the agent was built with
    agent.load_state_dict(kept)
    for trunk in (agent.actor, agent.critic, agent.target_critic):
        trunk.begin()


def rows_for(stacked: Tensor, trained: int, rows: Sequence[int | None]) -> Tensor:
    """Return what tasks have of their own, (E * T, ...), for others: a trained one's, or the mean over all of them."""
    members = stacked.unflatten(0, (-1, trained))
    mean = members.mean(dim=1)
    return torch.stack([mean if row is None else members[:, row] for row in rows], dim=1).flatten(0, 1)


def _own_names(agent: Any) -> set[str]:
    """Return the names of what is stacked by task: of the parts, of temperatures and of running scales."""
    parts: dict[str, nn.Module] = {
        name: getattr(agent, name) for name in ("encoder", "actor", "critic", "target_encoder", "target_critic")
    }
    names = {"log_temperature", "reward_scale.largest", "obs_scale.mean", "obs_scale.square"}
    for part, module in parts.items():
        own = {id(parameter) for parameter in module.own_parameters()}  # type: ignore[operator]
        names |= {f"{part}.{name}" for name, parameter in module.named_parameters() if id(parameter) in own}
    return names


def _fitting(name: str, theirs: Tensor, mine: Tensor) -> Tensor:
    if theirs.shape != mine.shape:
        raise WarmStartError(
            f"its {name} is of shape {(*theirs.shape,)}, and {(*mine.shape,)} here; leave the settings as they were, "
            "and take tasks whose observations and actions are as large"
        )
    return theirs
