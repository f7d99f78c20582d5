"""The policy of a run for tasks that it was trained on, out of its folder."""

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

# Observations (T', N, obs), short ones welcome; the T' tasks' numbers in the suite; whether to draw the actions at
# random -> actions (T', N, action) in [-1, 1].
Player = Callable[[Tensor, Sequence[int], bool], Tensor]


class Sizes(NamedTuple):
    """What the environments of a suite look like to an agent."""

    obs: int
    action_mask: Tensor  # (T, A) bool


def policy_of(path: Path, config: TrainConfig[Any], suite: TaskSuite, names: Sequence[str]) -> Policy:
    """Return a run's deterministic policy for those of its tasks; ``UsageError`` where the weights do not fit."""
    own = agent_spec(config.agent).policy
    if own is not None:
        return imported(own)(path, config, suite, names)
    agent, _, sizes = load_agent(path, config, suite)
    return for_tasks(agent, sizes, config, suite, names)


def for_tasks(agent: Agent, sizes: Sizes, config: TrainConfig[Any], suite: TaskSuite, names: Sequence[str]) -> Policy:
    """Return an agent's deterministic policy for those of its tasks."""
    if len(names) == len(suite.tasks):
        return fitted(agent, sizes, sizes.action_mask.shape[1], None)
    own = sizes_of(suite.only(names), config)
    task = torch.tensor([suite.task_names.index(name) for name in names], device=device_of(config))
    return fitted(agent, sizes, own.action_mask.shape[1], task)


def fitted(agent: Agent, sizes: Sizes, actions: int, task: Tensor | None) -> Policy:
    """The agent's deterministic policy where observations or actions may be shorter than those it was trained on."""

    def act(obs: Tensor) -> Tensor:
        return agent.act(pad(obs, (0, sizes.obs - obs.shape[-1])), task, explore=False)[..., :actions]

    return act


def sizes_of(suite: TaskSuite, config: TrainConfig[Any]) -> Sizes:
    """Return what a suite's environments look like."""
    env = TensorEnv(suite, 1, device_of(config))
    env.close()
    return Sizes(env.obs_size, env.action_mask)


def load_agent(path: Path, config: TrainConfig[Any], suite: TaskSuite) -> tuple[Any, Context, Sizes]:
    """Build the run's agent as it was, with its weights -> it, its tasks' context, and what it was built for."""
    weights = weights_of(path, config)
    env = TensorEnv(suite, 1, device_of(config))
    agent, context = agent_of(config, suite, env, frame=reference_of_run(path))
    env.close()
    try:
        agent.load_state_dict(weights)
    except RuntimeError as error:
        raise misfit(path, error) from None
    return agent, context, Sizes(env.obs_size, env.action_mask)
