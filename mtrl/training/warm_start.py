"""Start a run from another one: from its networks and, to add tasks, from its replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agents.base import Agent, seeded_generator
from agents.build import Sizes, build_agent
from agents.rehearsal import Rehearsal
from agents.replay import Replay
from agents.warm_start import WarmStartError, warm_start
from envs.context import Context, Described
from envs.suite import TaskSuite
from mtrl.checkpoints.folders import Damaged
from mtrl.checkpoints.store import CheckpointStore
from mtrl.config import TrainConfig, agent_spec
from mtrl.errors import UsageError
from mtrl.policies.weights import check_source, weights_of
from mtrl.rollout.tensor_env import TensorEnv
from mtrl.runs.context_reference import FRAME, reference_facts, reference_of
from mtrl.runs.folder import read_run
from mtrl.runs.origin import same_suite
from mtrl.runs.result import BEFORE
from mtrl.runs.trust import foreign
from mtrl.scoring.scores import MEASURES
from mtrl.training.assemble import suite_of
from mtrl.training.memory import check_replay_fits
from mtrl.training.replay_size import replay_capacity


@dataclass(frozen=True)
class WarmStart:
    """A run to start from: its folder, configuration and tasks, and the tasks that centre and scale its context."""

    path: Path
    config: TrainConfig[Any]
    tasks: tuple[str, ...]
    reference: tuple[Described, ...]
    context_source: str | None  # of its sentence vectors

    def facts(self, scores: Mapping[str, Any] | None, path: Path) -> dict[str, Any]:
        """Return what ``config.json`` records: the context's reference tasks and the ``scores`` before any learning.

        ``scores`` is None for a resumed run, whose folder ``path`` has recorded both already.
        """
        if scores is None:
            return {name: value for name, value in read_run(path)[1].items() if name in (FRAME, BEFORE)}
        tasks = {
            name: {**{measure: own[measure] for measure in MEASURES}, "new": name not in self.tasks}
            for name, own in scores["tasks"].items()
        }
        return {FRAME: reference_facts(self.reference), BEFORE: {"run": str(self.path), "tasks": tasks}}


def warm_start_of(config: TrainConfig[Any], given: TaskSuite | None = None) -> WarmStart | None:
    """Return the run that ``--from`` names, or None.

    Raises ``UsageError`` for a run of another agent, and where its tasks cannot be known.
    """
    path = config.from_run
    if path is None:
        return None
    trained, facts = read_run(path)
    if trained.agent != config.agent:
        raise UsageError(f"--from is {str(path)!r}, a run of agent {trained.agent!r}; give --agent {trained.agent}")
    # Normalisation has no weights, so this would not be noticed by their shapes.
    if (normalised := trained.settings.layer_norm) != config.settings.layer_norm:
        raise UsageError(f"--from is {str(path)!r}, trained with layer_norm {normalised}; leave it as it was")
    reference = reference_of(facts, path) or _own_reference(path, trained, config, given)
    own = facts.get("task_sentences") or {task.name: task.description for task in reference}
    return WarmStart(path, trained, (*own,), reference, facts.get("context_source"))


def start_from(
    source: WarmStart, agent: Agent, context: Context, config: TrainConfig[Any], suite: TaskSuite, full_env: TensorEnv
) -> None:
    """Put a run's networks into a new agent for ``suite``, whose sizes are those of ``full_env``.

    Raises ``UsageError`` where they do not fit.
    """
    where = str(source.path)
    check_source(source.path, context.source, source.context_source, "these tasks")
    known = same_suite(source.config.suite, config.suite)
    rows = [source.tasks.index(name) if known and name in source.tasks else None for name in suite.task_names]
    weights = weights_of(source.path, config)
    try:
        warm_start(agent, weights, rows, _with_one_task_more(config, context, full_env))
    except WarmStartError as error:
        raise UsageError(f"--from is {where!r}, and {error}") from None


def rehearsal_of(
    source: WarmStart, agent: Agent, config: TrainConfig[Any], suite: TaskSuite, full_env: TensorEnv, new_env: TensorEnv
) -> Rehearsal:
    """Return an agent that learns ``config.add_task`` alone and rehearses the source run's tasks from its replay.

    ``full_env`` has all tasks, ``new_env`` those that are added. Raises ``UsageError`` where no replay was kept.
    """
    sampler = config.settings.sampler
    if sampler != "uniform":
        raise UsageError(
            f"the run's sampler is {sampler!r}, and --add-task rehearses all tasks alike; it needs uniform"
        )
    all_tasks = (*source.tasks, *config.add_task)
    if {*suite.task_names} != {*all_tasks}:
        raise UsageError(f"--add-task goes with the run's own tasks and no others: --tasks {' '.join(all_tasks)}")
    new = [suite.task_names.index(name) for name in new_env.env.suite.task_names]  # in the order of its rows
    kept = [suite.task_names.index(name) for name in source.tasks]
    sizes = (full_env.obs_size, full_env.action_size)
    return Rehearsal(agent, _kept_replay(source, config, full_env), kept, new, sizes, new_env.action_size, config.seed)


def _kept_replay(source: WarmStart, config: TrainConfig[Any], full_env: TensorEnv) -> Replay:
    where = f"--from is {str(source.path)!r}"
    if source.config.add_task:
        raise UsageError(
            f"{where}, whose own replay holds {', '.join(source.config.add_task)} alone; name all tasks to add at once "
            f"and start from {str(source.config.from_run)!r}"
        )
    try:
        checkpoint = CheckpointStore(source.path).latest()
    except Damaged as error:
        raise UsageError(f"{where}, and none of its checkpoints is complete: {error}") from None
    if checkpoint is None:
        raise UsageError(f"{where}, which has no replay to rehearse its tasks from; train it with --keep-checkpoint")
    tasks, capacity = len(source.tasks), replay_capacity(source.config)
    check_replay_fits(Replay.bytes_needed(tasks, capacity, full_env.obs_size, full_env.action_size), full_env.device)
    generator = seeded_generator(config.seed, full_env.device)
    replay = Replay(tasks, capacity, full_env.obs_size, full_env.action_size, generator)
    try:
        checkpoint.replay.load(replay)
    except ValueError as error:
        raise UsageError(f"{where}, whose replay does not fit its tasks: {error}") from None
    return replay


def _own_reference(
    path: Path, trained: TrainConfig[Any], config: TrainConfig[Any], given: TaskSuite | None
) -> tuple[Described, ...]:
    """Return the tasks of a run's own suite, if making it runs no foreign code."""
    if same_suite(trained.suite, config.suite):
        return tuple(suite_of(replace(trained, suite=config.suite), given).tasks)
    if what := foreign(trained.suite):
        raise UsageError(
            f"--from is {str(path)!r}, a run on suite {trained.suite!r}, {what}; start from it on that suite alone"
        )
    return tuple(suite_of(trained).tasks)


def _with_one_task_more(config: TrainConfig[Any], context: Context, full_env: TensorEnv) -> Agent:
    """Build the agent with its last task twice, which shows what grows with the number of tasks."""

    def longer(rows: Tensor) -> Tensor:
        return torch.cat([rows, rows[-1:]])

    rows = longer(torch.as_tensor(context.tasks))
    sizes = Sizes(full_env.obs_size, longer(full_env.action_mask), rows, context.learned)
    return build_agent(agent_spec(config.agent), sizes, config.settings, config.seed, torch.device("cpu"))
