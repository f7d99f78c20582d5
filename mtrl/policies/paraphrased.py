"""The policy of a run for its own tasks, described by paraphrases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from envs.context import SENTENCE_PARTS, context_of
from envs.suite import TaskSuite
from mtrl.config import TrainConfig, agent_spec
from mtrl.errors import UsageError
from mtrl.policies.trained import for_tasks, load_agent
from mtrl.policies.weights import READING_AGENTS, check_source, unsupported
from mtrl.runs.context_reference import reference_of_run
from mtrl.scoring.scores import Policy


def policy_for_paraphrases(
    path: Path, config: TrainConfig[Any], suite: TaskSuite, paraphrased: TaskSuite, source: str | None
) -> Policy:
    """Return a run's deterministic policy for the tasks in ``paraphrased``, described by their paraphrases.

    Everything else that it has learned of each task stays. Raises ``UsageError`` if the agent reads no sentences, or if
    the vectors of the paraphrases would not come from the ``source`` of its own.
    """
    context_kind = config.settings.context or "onehot"
    if not agent_spec(config.agent).in_loop or not {"auto", *SENTENCE_PARTS} & {*context_kind.split("+")}:
        raise _cannot_read(config, "it reads no sentence")
    agent, _, sizes = load_agent(path, config, suite)
    by_name = {task.name: task for task in paraphrased.tasks}
    described = [by_name.get(task.name, task) for task in suite.tasks]
    context = context_of(suite, context_kind, reference_of_run(path), described)
    check_source(path, context.source, source, "the paraphrases")
    try:
        agent.describe(torch.as_tensor(context.held_out))
    except (AttributeError, ValueError) as error:
        raise _cannot_read(config, str(error)) from None
    return for_tasks(agent, sizes, config, suite, paraphrased.task_names)


def _cannot_read(config: TrainConfig[Any], why: str) -> UsageError:
    way_out = f"train one that can, such as {READING_AGENTS}, with --context text"
    return unsupported(config, "read paraphrases", why, way_out)
