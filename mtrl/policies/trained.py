"""The policy of a run for tasks that it was trained on, loaded from its folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from agents.base import Agent
from agents.registry.spec import imported
from envs.context import Context
from envs.suite import TaskSuite
from mtrl.config import TrainConfig, agent_spec
from mtrl.policies.weights import misfit, weights_of
from mtrl.rollout.tensor_env import TensorEnv
from mtrl.runs.context_reference import reference_of_run
from mtrl.scoring.scores import Policy
from mtrl.training.assemble import agent_of, device_of

# Maps observations (T', N, obs), zero-padded or not, the T' tasks' numbers in the suite, and whether to sample actions,
# to actions (T', N, action) in [-1, 1].
Player = Callable[[Tensor, Sequence[int], bool], Tensor]


class EnvSizes(NamedTuple):
    """The sizes of a suite's observations and actions."""

    obs: int
    action_mask: Tensor  # (T, A) bool


def policy_of(path: Path, config: TrainConfig[Any], suite: TaskSuite, names: Sequence[str]) -> Policy:
    """Return a run's deterministic policy for the named tasks. Raises ``UsageError`` if the weights do not fit."""
    own = agent_spec(config.agent).policy
    if own is not None:
        return imported(own)(path, config, suite, names)
    agent, _, sizes = load_agent(path, config, suite)
    return for_tasks(agent, sizes, config, suite, names)


def for_tasks(
    agent: Agent, sizes: EnvSizes, config: TrainConfig[Any], suite: TaskSuite, names: Sequence[str]
) -> Policy:
    """Return an agent's deterministic policy for the named tasks."""
    if len(names) == len(suite.tasks):
        return fitted(agent, sizes, sizes.action_mask.shape[1], None)
    own = sizes_of(suite.only(names), config)
    task = torch.tensor([suite.task_names.index(name) for name in names], device=device_of(config))
    return fitted(agent, sizes, own.action_mask.shape[1], task)


def fitted(agent: Agent, sizes: EnvSizes, actions: int, task: Tensor | None) -> Policy:
    """Return the deterministic policy for observations and actions that may be shorter than those of training."""
    return lambda obs: act_padded(agent, sizes, obs, task, explore=False)[..., :actions]


def act_padded(agent: Agent, sizes: EnvSizes, obs: Tensor, task: Tensor | None, explore: bool) -> Tensor:
    """Let an agent act on observations that may be shorter than those of training."""
    return agent.act(pad(obs, (0, sizes.obs - obs.shape[-1])), task, explore=explore)


def sizes_of(suite: TaskSuite, config: TrainConfig[Any]) -> EnvSizes:
    """Return the sizes of a suite's environments."""
    env = TensorEnv(suite, 1, device_of(config))
    env.close()
    return EnvSizes(env.obs_size, env.action_mask)


def load_agent(path: Path, config: TrainConfig[Any], suite: TaskSuite) -> tuple[Any, Context, EnvSizes]:
    """Rebuild the run's agent with its weights; return it, its tasks' context and the sizes it was built for."""
    weights = weights_of(path, config)
    env = TensorEnv(suite, 1, device_of(config))
    agent, context = agent_of(config, suite, env, frame=reference_of_run(path))
    env.close()
    try:
        agent.load_state_dict(weights)
    except RuntimeError as error:
        raise misfit(path, error) from None
    return agent, context, EnvSizes(env.obs_size, env.action_mask)
