"""Puts the networks of a trained agent into a new one, whose tasks may differ.

Shared weights are copied. Task-specific values (heads, codes, adapters, temperature, running scales) are copied for
tasks that were trained; a new task starts from their mean over the trained tasks, but observes its rewards' scale
itself. Contexts, optimisers and the aggregator stay those of the new agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

AGGREGATOR, PENALTY = "aggregate.", "penalty."  # prefixes of their weights' names
LARGEST_RETURN = "reward_scale.largest"  # a running maximum never shrinks, so a new task starts without one


class WarmStartError(ValueError):
    """The trained weights do not fit; the message is one line."""


def warm_start(agent: Any, weights: Mapping[str, Tensor], sources: Sequence[int | None], larger_agent: Any) -> None:
    """Put a trained agent's ``weights`` into ``agent``, an ``agents.sac.SAC``.

    ``sources`` gives the trained task that each of the agent's tasks is, None for a new one. ``larger_agent`` is the
    same agent built for one more task, which shows the shapes that depend on the number of tasks. Raises
    ``WarmStartError`` if shapes do not fit, if there is no place for some of the weights, or if the networks have an
    input for each task, since new tasks have none.
    """
    trained = len(weights["log_temperature"])
    shapes = {name: weight.shape for name, weight in larger_agent.state_dict().items()}
    own = _own_names(agent)
    for name in weights:
        if name not in shapes and not name.startswith((AGGREGATOR, PENALTY)):
            raise WarmStartError(f"its {name} has no place here; leave the settings as they were")
    loaded = {}
    for name, mine in agent.state_dict().items():
        if name.startswith((AGGREGATOR, PENALTY)):
            loaded[name] = mine
            continue
        if name not in weights:
            raise WarmStartError(f"it has no {name}; leave the settings as they were")
        theirs = weights[name].to(mine.device)
        if shapes[name] == mine.shape or [*sources] == [*range(trained)]:
            loaded[name] = _fitting(name, theirs, mine)
        elif name in own and shapes[name][1:] == mine.shape[1:]:
            new = 0.0 if name == LARGEST_RETURN else None
            loaded[name] = _fitting(name, rows_for(theirs, trained, sources, new), mine)
        elif name in dict(agent.named_parameters()):
            raise WarmStartError(
                f"its {name} has an input for each task, and none for a new one; start from --agent care, or another "
                "that reads the context, such as --encoder context"
            )
        else:
            loaded[name] = mine  # contexts, which the agent was built with
    agent.load_state_dict(loaded)
    for trunk in (agent.actor, agent.critic, agent.target_critic):
        trunk.begin()


def rows_for(stacked: Tensor, trained: int, sources: Sequence[int | None], new: float | None = None) -> Tensor:
    """Return task-specific rows, (E * T, ...), for other tasks: a trained task's, or for None ``new`` or their mean."""
    members = stacked.unflatten(0, (-1, trained))
    unseen = members.mean(dim=1) if new is None else torch.full_like(members[:, 0], new)
    return torch.stack([unseen if row is None else members[:, row] for row in sources], dim=1).flatten(0, 1)


def _own_names(agent: Any) -> set[str]:
    """Return the names of task-specific values: of the parts, of temperatures and of running scales."""
    parts: dict[str, nn.Module] = {
        name: getattr(agent, name) for name in ("encoder", "actor", "critic", "target_encoder", "target_critic")
    }
    names = {"log_temperature", LARGEST_RETURN, "obs_scale.mean", "obs_scale.square"}
    for part, module in parts.items():
        own = {id(parameter) for parameter in module.own_parameters()}  # type: ignore[operator]
        names |= {f"{part}.{name}" for name, parameter in module.named_parameters() if id(parameter) in own}
    return names


def _fitting(name: str, theirs: Tensor, mine: Tensor) -> Tensor:
    if theirs.shape != mine.shape:
        raise WarmStartError(
            f"its {name} is of shape {(*theirs.shape,)}, and {(*mine.shape,)} here; leave the settings as they were, "
            "and take tasks with observations and actions of the same size"
        )
    return theirs
