"""The policy of a run for held-out tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import pad

from envs.suite import TaskSuite
from mtrl.config import TrainConfig, agent_spec
from mtrl.errors import UsageError
from mtrl.policies.trained import fitted, load_agent, sizes_of
from mtrl.policies.weights import READING_AGENTS, check_source, unsupported
from mtrl.scoring.scores import Policy


def policy_for_new(
    path: Path, config: TrainConfig[Any], suite: TaskSuite, new: TaskSuite, source: str | None
) -> Policy:
    """Return a run's deterministic policy for held-out tasks of its suite, which it distinguishes by their context.

    ``source`` is the source of the run's sentence vectors. Raises ``UsageError`` if the agent reads no context that a
    new task has, if its vectors would now come from another source, or if the tasks are larger than those that it was
    trained on.
    """
    if not agent_spec(config.agent).in_loop:
        raise _cannot_play(config, "it trains a separate model per task")
    agent, context, sizes = load_agent(path, config, suite)
    check_source(path, context.source, source, "its held-out tasks")
    own = sizes_of(new, config)
    actions, most = own.action_mask.shape[1], sizes.action_mask.shape[1]
    if own.obs > sizes.obs or actions > most:
        raise UsageError(
            f"held-out tasks {', '.join(new.task_names)} have observations of up to {own.obs} numbers and actions of "
            f"up to {actions}, but the agent was trained on at most {sizes.obs} and {most}; leave out the larger ones"
        )
    if not hasattr(agent, "set_tasks"):
        raise _cannot_play(config, "it has no set_tasks")
    rows = [suite.held_out.index(task) for task in new.tasks]
    if not context.describes_unseen:
        raise _cannot_play(config, f"--context {config.settings.context} does not describe new tasks")
    try:
        agent.set_tasks(pad(own.action_mask, (0, most - actions)), torch.as_tensor(context.held_out[rows]))
    except ValueError as error:
        raise _cannot_play(config, str(error)) from None
    return fitted(agent, sizes, actions, None)


def _cannot_play(config: TrainConfig[Any], why: str) -> UsageError:
    way_out = f"train one that can, such as {READING_AGENTS}, with --context text or numbers"
    return unsupported(config, "play held-out tasks", why, way_out)
