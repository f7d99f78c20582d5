"""The configuration of a run that begins from a finished one: its settings, on tasks of its own. Free of torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envs.suite import HELD_OUT
from mtrl.config.train_config import TrainConfig
from mtrl.errors import UsageError
from mtrl.runs.folder import RESULT, read_run

PLAYED = 250  # steps per task that a trained agent plays before it learns: it needs no start at random


def continued(
    path: Path, told: TrainConfig[Any], suite: str | None, given: Mapping[str, str | None], pieces: Mapping[str, str]
) -> TrainConfig[Any]:
    """Return the defaults of a run that begins with the networks of ``path``, which was told ``told``.

    Its tasks are the run's own until others are given, all of another ``suite``. Raises ``UsageError`` where the run is
    not finished, and for flags that would make another agent: ``given`` by name, and ``pieces``.
    """
    wrong = [flag for flag, value in given.items() if value is not None] + [f"--{slot}" for slot in pieces]
    if wrong:
        raise UsageError(f"--from goes on with the agent of {str(path)!r}; leave out {', '.join(wrong)}")
    if not (path / RESULT).is_file():
        raise UsageError(
            f"--from is {str(path)!r}, which is unfinished; finish it first: python -m mtrl.train --resume {path}"
        )
    other = suite is not None and suite != told.suite
    return dataclasses.replace(
        told,
        suite=suite or told.suite,
        tasks=() if other else told.tasks,
        random_steps=min(told.random_steps, PLAYED),
        runs_dir=TrainConfig.runs_dir,
        from_run=path,
        add_task=(),
        keep_checkpoint=False,
    )


def with_added_tasks(config: TrainConfig[Any], tasks_given: bool, baseline_given: bool) -> TrainConfig[Any]:
    """Return the configuration with its ``add_task`` among its ``tasks``, after those that the run began with.

    No baseline is trained beside it unless asked for. Raises ``UsageError`` where one of them is its own.
    """
    if not config.add_task or config.from_run is None:
        return config
    if tasks_given:
        raise UsageError("--add-task rehearses all of the run's tasks; leave out --tasks")
    told, facts = read_run(config.from_run)
    own = (*(facts.get("task_sentences") or {}),)
    if config.suite != told.suite:
        raise UsageError(f"--add-task takes tasks of the run's own suite {told.suite!r}; leave out --suite")
    for name in config.add_task:
        if name == HELD_OUT:
            raise UsageError(f"--add-task is {name!r}, which stands for several; give the names of tasks")
        if name in own or config.add_task.count(name) > 1:
            again = "is one of the run's tasks already" if name in own else "is named twice"
            raise UsageError(f"--add-task: {name!r} {again}; give names of tasks that are new to it, once each")
    baseline = config.baseline if baseline_given else "none"
    return dataclasses.replace(config, tasks=(*own, *config.add_task), baseline=baseline)
