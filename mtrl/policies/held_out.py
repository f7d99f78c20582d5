"""The policy of a run for tasks that are new to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import pad

from envs.suite import TaskSuite
from mtrl.config import TrainConfig, agent_spec
from mtrl.errors import UsageError
from mtrl.policies.trained import fitted, load_agent, sizes_of
from mtrl.policies.weights import check_source
from mtrl.scoring.scores import Policy


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
    check_source(path, context.source, source, "its held-out tasks")
    own = sizes_of(new, config)
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
    return fitted(agent, sizes, actions, None)


def _cannot(config: TrainConfig[Any], why: str) -> UsageError:
    return UsageError(
        f"agent {config.agent!r} cannot play held-out tasks: {why}; train one that does, such as --agent care or "
        "--agent mtsac --encoder context, with --context text or numbers"
    )
