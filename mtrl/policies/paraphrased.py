"""The policy of a run for its own tasks, told in other words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from envs.context import READING, context_of
from envs.suite import TaskSuite
from mtrl.config import TrainConfig, agent_spec
from mtrl.errors import UsageError
from mtrl.policies.trained import for_tasks, load_agent
from mtrl.policies.weights import check_source
from mtrl.runs.context_reference import reference_of_run
from mtrl.scoring.scores import Policy


def policy_in_other_words(
    path: Path, config: TrainConfig[Any], suite: TaskSuite, told: TaskSuite, source: str | None
) -> Policy:
    """Return a run's deterministic policy for those of its tasks that ``told`` describes in other words.

    Whatever it has learned of each task otherwise stays. Raises ``UsageError`` where the agent reads no sentence, or
    where the vectors of these would come from elsewhere than the ``source`` of its own.
    """
    wanted = config.settings.context or "onehot"
    if not agent_spec(config.agent).in_loop or not {"auto", *READING} & {*wanted.split("+")}:
        raise _cannot(config, "it reads no sentence")
    agent, _, sizes = load_agent(path, config, suite)
    by_name = {task.name: task for task in told.tasks}
    described = [by_name.get(task.name, task) for task in suite.tasks]
    context = context_of(suite, wanted, reference_of_run(path), described)
    check_source(path, context.source, source, "the paraphrases")
    try:
        agent.describe(torch.as_tensor(context.held_out))
    except (AttributeError, ValueError) as error:
        raise _cannot(config, str(error)) from None
    return for_tasks(agent, sizes, config, suite, told.task_names)


def _cannot(config: TrainConfig[Any], why: str) -> UsageError:
    return UsageError(
        f"agent {config.agent!r} cannot be told its tasks in other words: {why}; train one that does, such as --agent "
        "care or --agent mtsac --encoder context, with --context text"
    )
