"""Loading the policy of a run: for tasks that it was trained on, and for new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import pad

from agents.base import Agent
from agents.spec import imported
from envs.context import Context
from envs.suite import TaskSuite
from mtrl.assemble import agent_of, device_of
from mtrl.cli import UsageError
from mtrl.config import TrainConfig, agent_spec
from mtrl.runs import WEIGHTS
from mtrl.scores import Policy
from mtrl.tensor_env import TensorEnv

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
    return _for_tasks(agent, sizes, config, suite, names)


def player_of(path: Path, config: TrainConfig[Any], suite: TaskSuite) -> Player:
    """Return what plays a run on any of its tasks, greedily or not; ``UsageError`` where the weights do not fit."""
    if not agent_spec(config.agent).in_loop:
        return _sb3_player(path, config, suite)
    agent, _, sizes = load_agent(path, config, suite)

    def play(obs: Tensor, task: Sequence[int], explore: bool) -> Tensor:
        rows = torch.tensor(task, device=obs.device)
        return agent.act(pad(obs, (0, sizes.obs - obs.shape[-1])), rows, explore=explore)

    return play


def _for_tasks(agent: Agent, sizes: Sizes, config: TrainConfig[Any], suite: TaskSuite, names: Sequence[str]) -> Policy:
    if len(names) == len(suite.tasks):
        return _fitted(agent, sizes, sizes.action_mask.shape[1], None)
    own = _sizes(suite.only(names), config)
    task = torch.tensor([suite.task_names.index(name) for name in names], device=device_of(config))
    return _fitted(agent, sizes, own.action_mask.shape[1], task)


def policies_without(path: Path, config: TrainConfig[Any], suite: TaskSuite, names: Sequence[str]) -> list[Policy]:
    """Return for each encoder of a run's mixture its policy for those of its tasks without that encoder.

    They share one agent, so play them one after the other. Raises ``UsageError`` where there is no mixture.
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
    policy = _for_tasks(agent, sizes, config, suite, names)

    def without(expert: int) -> Policy:
        def act(obs: Tensor) -> Tensor:
            agent.mask_expert(expert)
            return policy(obs)

        return act

    return [without(expert) for expert in range(agent.encoder.num_experts)]


def _no_mixture(config: TrainConfig[Any], why: str) -> UsageError:
    return UsageError(
        f"agent {config.agent!r} cannot be evaluated without single encoders: {why}; --ablate-encoders needs a run of "
        "--agent care with --encoders of at least 2"
    )


def policy_for_new(
    path: Path, config: TrainConfig[Any], suite: TaskSuite, new: TaskSuite, source: str | None
) -> Policy:
    """Return a run's deterministic policy for held-out tasks of its suite, told apart by their context.

    ``source`` is where the run's sentence vectors came from. Raises ``UsageError`` where the agent reads no context
    that a new task has, where its vectors would come from elsewhere now, and where the tasks are larger than what it
    was trained on.
    """
    if not agent_spec(config.agent).in_loop:
        raise _cannot(config, "it trains a separate model per task")
    agent, context, sizes = load_agent(path, config, suite)
    if context.source != source:
        raise UsageError(
            f"{str(path)!r} was trained on sentence vectors of source {source!r}, but those of its held-out tasks are "
            f"now from source {context.source!r}; vectors from different sources do not mix, so train the run again"
        )
    own = _sizes(new, config)
    actions, most = own.action_mask.shape[1], sizes.action_mask.shape[1]
    if own.obs > sizes.obs or actions > most:
        raise UsageError(
            f"held-out tasks {', '.join(new.task_names)} have up to {own.obs} numbers in an observation and {actions} "
            f"in an action, and the agent was trained on at most {sizes.obs} and {most}; leave out the larger ones"
        )
    if not hasattr(agent, "set_tasks"):
        raise _cannot(config, "it has no set_tasks")
    rows = [suite.held_out.index(task) for task in new.tasks]
    if not context.tells_new:
        raise _cannot(config, f"--context {config.settings.context} does not describe new tasks")
    try:
        agent.set_tasks(pad(own.action_mask, (0, most - actions)), torch.as_tensor(context.held_out[rows]))
    except ValueError as error:
        raise _cannot(config, str(error)) from None
    return _fitted(agent, sizes, actions, None)


def _cannot(config: TrainConfig[Any], why: str) -> UsageError:
    return UsageError(
        f"agent {config.agent!r} cannot play held-out tasks: {why}; train --agent care with --context text or numbers"
    )


def _fitted(agent: Agent, sizes: Sizes, actions: int, task: Tensor | None) -> Policy:
    """The agent's deterministic policy where observations or actions may be shorter than those it was trained on."""

    def act(obs: Tensor) -> Tensor:
        return agent.act(pad(obs, (0, sizes.obs - obs.shape[-1])), task, explore=False)[..., :actions]

    return act


def _sizes(suite: TaskSuite, config: TrainConfig[Any]) -> Sizes:
    env = TensorEnv(suite, 1, device_of(config))
    env.close()
    return Sizes(env.obs_size, env.action_mask)


def load_agent(path: Path, config: TrainConfig[Any], suite: TaskSuite) -> tuple[Any, Context, Sizes]:
    """Build the run's agent as it was, with its weights -> it, its tasks' context, and what it was built for."""
    weights = _weights(path, config)
    env = TensorEnv(suite, 1, device_of(config))
    agent, context = agent_of(config, suite, env)
    env.close()
    try:
        agent.load_state_dict(weights)
    except RuntimeError as error:
        raise _misfit(path, error) from None
    return agent, context, Sizes(env.obs_size, env.action_mask)


def sb3_policy(path: Path, config: TrainConfig[Any], suite: TaskSuite, names: Sequence[str]) -> Policy:
    """Return the deterministic policy of Stable-Baselines3's models for tasks of the run."""
    from mtrl.sb3_model import load_sb3_policy  # costs seconds

    with _sb3_weights(path, config) as weights:
        return load_sb3_policy(config, suite, weights, device_of(config), names)


def load_sb3(path: Path, config: TrainConfig[Any], suite: TaskSuite) -> list[Any]:
    """Return Stable-Baselines3's model of each task of a run; ``UsageError`` where the weights do not fit."""
    from mtrl.sb3_model import load_sb3_models  # costs seconds

    with _sb3_weights(path, config) as weights:
        return load_sb3_models(config, suite, weights)


def _sb3_player(path: Path, config: TrainConfig[Any], suite: TaskSuite) -> Player:
    from mtrl.sb3_model import play_sb3_models

    models = load_sb3(path, config, suite)

    def play(obs: Tensor, task: Sequence[int], explore: bool) -> Tensor:
        return play_sb3_models([models[t] for t in task], obs, explore)

    return play


@contextmanager
def _sb3_weights(path: Path, config: TrainConfig[Any]) -> Iterator[dict[str, Tensor]]:
    """Read the weights of a run of Stable-Baselines3's; errors inside name the run."""
    try:
        yield _weights(path, config)
    except RuntimeError as error:
        raise _misfit(path, error) from None
    except KeyError as task:
        raise UsageError(
            f"{str(path / WEIGHTS)!r} has no model of task {task}: the run was stopped early; train it again"
        ) from None


def _weights(path: Path, config: TrainConfig[Any]) -> dict[str, Tensor]:
    try:
        return load_file(path / WEIGHTS, device=str(device_of(config)))
    except FileNotFoundError:
        raise UsageError(f"{str(path)!r} has no {WEIGHTS}: the run is unfinished; train it again") from None
    except (SafetensorError, OSError) as error:
        raise UsageError(f"{str(path / WEIGHTS)!r} is damaged ({error}); train the run again") from None


def _misfit(path: Path, error: RuntimeError) -> UsageError:
    """What to say where torch will not take the weights of a run."""
    return UsageError(
        f"{str(path / WEIGHTS)!r} does not match the current suite ({str(error).splitlines()[-1].strip()}); "
        "train the run again"
    )
