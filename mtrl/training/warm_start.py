"""What a run begins from where it does not begin anew: another run's networks and, to add tasks, its replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from mtrl.runs.trust import foreign
from mtrl.scoring.scores import MEASURES
from mtrl.training.assemble import suite_of
from mtrl.training.memory import check_replay_fits
from mtrl.training.replay_size import replay_capacity

BEFORE = "before"  # the key of the scores before anything is learned, in config.json and in result.json


@dataclass(frozen=True)
class WarmStart:
    """A run to begin from: its folder, what it was told, its tasks, and those that centre and scale its context."""

    path: Path
    told: TrainConfig[Any]
    tasks: tuple[str, ...]
    frame: tuple[Described, ...]
    source: str | None  # of its sentence vectors

    def facts(self, scores: Mapping[str, Any] | None, path: Path) -> dict[str, Any]:
        """Return what ``config.json`` records: the context's frame, and the tasks' ``scores`` before any learning.

        Without ``scores`` these are what it says already, in the run's folder ``path``, as of one that goes on.
        """
        if scores is None:
            return {name: value for name, value in read_run(path)[1].items() if name in (FRAME, BEFORE)}
        tasks = {
            name: {**{measure: own[measure] for measure in MEASURES}, "new": name not in self.tasks}
            for name, own in scores["tasks"].items()
        }
        return {FRAME: reference_facts(self.frame), BEFORE: {"run": str(self.path), "tasks": tasks}}


def warm_start_of(config: TrainConfig[Any], given: TaskSuite | None = None) -> WarmStart | None:
    """Return what a run begins from, None where it begins anew.

    Raises ``UsageError`` for a run of another agent, and where its tasks cannot be known.
    """
    path = config.from_run
    if path is None:
        return None
    told, facts = read_run(path)
    if told.agent != config.agent:
        raise UsageError(f"--from is {str(path)!r}, a run of agent {told.agent!r}; give --agent {told.agent}")
    frame = reference_of(facts, path) or _own_reference(path, told, config, given)
    own = facts.get("task_sentences") or {task.name: task.description for task in frame}
    return WarmStart(path, told, (*own,), frame, facts.get("context_source"))


def start_from(
    begun: WarmStart, agent: Agent, context: Context, config: TrainConfig[Any], suite: TaskSuite, whole: TensorEnv
) -> None:
    """Put a run's networks into a new agent for ``suite``; ``whole`` shows what its tasks look like.

    Raises ``UsageError`` where they do not fit.
    """
    where = str(begun.path)
    check_source(begun.path, context.source, begun.source, "these tasks")
    same_suite = begun.told.suite == config.suite
    rows = [begun.tasks.index(name) if same_suite and name in begun.tasks else None for name in suite.task_names]
    weights = weights_of(begun.path, config)
    try:
        warm_start(agent, weights, rows, _with_one_task_more(config, context, whole))
    except WarmStartError as error:
        raise UsageError(f"--from is {where!r}, and {error}") from None


def rehearsal_of(
    begun: WarmStart, agent: Agent, config: TrainConfig[Any], suite: TaskSuite, whole: TensorEnv, stepped: TensorEnv
) -> Rehearsal:
    """Return an agent that learns ``config.add_task`` alone and rehearses the rest from the replay of its first run.

    ``whole`` shows what all tasks look like, ``stepped`` those that are learned. Raises ``UsageError`` where no replay
    was kept.
    """
    sampler = config.settings.sampler
    if sampler != "uniform":
        raise UsageError(
            f"the run's sampler is {sampler!r}, and --add-task rehearses all tasks alike; it takes uniform"
        )
    wanted = (*begun.tasks, *config.add_task)
    if {*suite.task_names} != {*wanted}:
        raise UsageError(f"--add-task goes with the run's own tasks and no others: --tasks {' '.join(wanted)}")
    new = [suite.task_names.index(name) for name in config.add_task]
    kept = [suite.task_names.index(name) for name in begun.tasks]
    sizes = (whole.obs_size, whole.action_size)
    return Rehearsal(agent, _kept_replay(begun, config, whole), kept, new, sizes, stepped.action_size, config.seed)


def _kept_replay(begun: WarmStart, config: TrainConfig[Any], whole: TensorEnv) -> Replay:
    where = f"--from is {str(begun.path)!r}"
    if begun.told.add_task:
        raise UsageError(
            f"{where}, whose own replay holds {', '.join(begun.told.add_task)} alone; name all tasks to add at once, "
            f"and begin from {str(begun.told.from_run)!r}"
        )
    try:
        checkpoint = CheckpointStore(begun.path).latest()
    except Damaged as error:
        raise UsageError(f"{where}, and none of its checkpoints is whole: {error}") from None
    if checkpoint is None:
        raise UsageError(f"{where}, which has no replay to rehearse its tasks from; train it with --keep-checkpoint")
    tasks, capacity = len(begun.tasks), replay_capacity(begun.told)
    check_replay_fits(Replay.bytes_needed(tasks, capacity, whole.obs_size, whole.action_size), whole.device)
    generator = seeded_generator(config.seed, whole.device)
    replay = Replay(tasks, capacity, whole.obs_size, whole.action_size, generator)
    try:
        checkpoint.replay.load(replay)
    except ValueError as error:
        raise UsageError(f"{where}, whose replay does not fit its tasks: {error}") from None
    return replay


def _own_reference(
    path: Path, told: TrainConfig[Any], config: TrainConfig[Any], given: TaskSuite | None
) -> tuple[Described, ...]:
    """Return the tasks of a run's own suite, where that may be made."""
    if told.suite == config.suite:
        return tuple(suite_of(told, given).tasks)
    if what := foreign(told.suite):
        raise UsageError(
            f"--from is {str(path)!r}, a run on suite {told.suite!r}, {what}; begin from it on that suite alone"
        )
    return tuple(suite_of(told).tasks)


def _with_one_task_more(config: TrainConfig[Any], context: Context, whole: TensorEnv) -> Agent:
    """Build the agent for its last task twice."""

    def longer(rows: Tensor) -> Tensor:
        return torch.cat([rows, rows[-1:]])

    rows = longer(torch.as_tensor(context.tasks))
    sizes = Sizes(whole.obs_size, longer(whole.action_mask), rows, context.learned)
    return build_agent(agent_spec(config.agent), sizes, config.settings, config.seed, torch.device("cpu"))
