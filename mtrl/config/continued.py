"""The configuration of a run that starts from a finished one: its settings, possibly other tasks. Free of torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envs.suite import HELD_OUT
from mtrl.config.train_config import TrainConfig
from mtrl.errors import UsageError
from mtrl.runs.folder import RESULT, read_run
from mtrl.runs.origin import same_suite

MAX_WARM_UP = 250  # steps per task that a trained agent plays before it learns: random ones would tell it little


def continued(
    path: Path, base: TrainConfig[Any], suite: str | None, given: Mapping[str, str | None], pieces: Mapping[str, str]
) -> TrainConfig[Any]:
    """Return the defaults of a run that starts from the networks of ``path``, whose configuration is ``base``.

    Its tasks are by default the run's own, or all of a different ``suite``. Raises ``UsageError`` if the run is not
    finished, and for flags that would change the agent: ``given`` by name, and ``pieces``.
    """
    wrong = [flag for flag, value in given.items() if value is not None] + [f"--{slot}" for slot in pieces]
    if wrong:
        raise UsageError(f"--from continues with the agent of {str(path)!r}; remove {', '.join(wrong)}")
    if not (path / RESULT).is_file():
        raise UsageError(
            f"--from is {str(path)!r}, which is unfinished; finish it first: python -m mtrl.train --resume {path}"
        )
    other = suite is not None and not same_suite(base.suite, suite)
    return dataclasses.replace(
        base,
        suite=suite or base.suite,
        tasks=() if other else base.tasks,
        random_steps=min(base.random_steps, MAX_WARM_UP),
        runs_dir=TrainConfig.runs_dir,
        from_run=path,
        add_task=(),
        keep_checkpoint=False,
    )


def with_added_tasks(config: TrainConfig[Any], tasks_given: bool, baseline_given: bool) -> TrainConfig[Any]:
    """Return the configuration with its ``add_task`` among its ``tasks``, after those of the source run.

    No baseline is trained unless requested. Raises ``UsageError`` if one of them is the run's own.
    """
    if not config.add_task or config.from_run is None:
        return config
    if tasks_given:
        raise UsageError("--add-task rehearses all of the run's tasks; leave out --tasks")
    base, facts = read_run(config.from_run)
    own = (*(facts.get("task_sentences") or {}),)
    if not same_suite(base.suite, config.suite):
        raise UsageError(f"--add-task takes tasks of the run's own suite {base.suite!r}; leave out --suite")
    for name in config.add_task:
        if name == HELD_OUT:
            raise UsageError(f"--add-task is {name!r}, which stands for several; give names of tasks")
        if name in own or config.add_task.count(name) > 1:
            again = "is one of the run's tasks already" if name in own else "is named twice"
            raise UsageError(f"--add-task: {name!r} {again}; give names of tasks that are new to it, once each")
    baseline = config.baseline if baseline_given else "none"
    return dataclasses.replace(config, tasks=(*own, *config.add_task), baseline=baseline)
