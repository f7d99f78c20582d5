"""The policies of a run without single encoders of its mixture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from envs.suite import TaskSuite
from mtrl.config import TrainConfig, agent_spec
from mtrl.errors import UsageError
from mtrl.policies.trained import for_tasks, load_agent
from mtrl.policies.weights import unsupported
from mtrl.scoring.scores import Policy


def policies_without(path: Path, config: TrainConfig[Any], suite: TaskSuite, names: Sequence[str]) -> list[Policy]:
    """Return, for each encoder of a run's mixture, the policy without that encoder for the named tasks.

    They share one agent, so play them one after the other. Raises ``UsageError`` if there is no mixture.
    """
    if not agent_spec(config.agent).in_loop:
        raise _no_mixture(config, "it has no encoders")
    agent, _, sizes = load_agent(path, config, suite)
    if not hasattr(agent, "mask_expert"):
        raise _no_mixture(config, "it has no mask_expert")
    try:
        agent.mask_expert(None)
    except ValueError as error:
        raise _no_mixture(config, str(error)) from None
    policy = for_tasks(agent, sizes, config, suite, names)

    def without(expert: int) -> Policy:
        def act(obs: Tensor) -> Tensor:
            agent.mask_expert(expert)
            return policy(obs)

        return act

    return [without(expert) for expert in range(agent.encoder.num_experts)]


def _no_mixture(config: TrainConfig[Any], why: str) -> UsageError:
    way_out = "--ablate-encoders needs a run of --agent care with --encoders of at least 2"
    return unsupported(config, "be evaluated without single encoders", why, way_out)
