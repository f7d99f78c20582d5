"""Train from Python: ``mtrl.learn``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from agents.registry.compose import SLOTS
from envs.errors import nearest
from envs.registry import OBJECT_PREFIX, make_suite
from envs.suite import TaskSuite
from mtrl.config import TrainConfig
from mtrl.config.checks import check_config
from mtrl.config.continued import continued, with_added_tasks
from mtrl.config.defaults import default_config
from mtrl.config.train_config import STANDARD
from mtrl.errors import UsageError
from mtrl.runs.folder import read_run
from mtrl.scoring.scores import TaskScore
from mtrl.training.callbacks import Callback, ScheduledCallback
from mtrl.training.trainers import trainer_of


@dataclass(frozen=True)
class Result:
    """The result of a training run.

    Args:
        path: The run folder.
        scores: The final score of each task, by name.
        step: Environment steps per task.
        env_steps: Environment steps in all tasks together.
        updates: Gradient updates.
        stopped: Whether a callback ended it early.

    Example:
        >>> result = mtrl.learn("tabletop", steps_per_task=20_000)
        >>> policy = mtrl.load(result.path)
    """

    path: Path
    scores: dict[str, TaskScore]
    step: int
    env_steps: int
    updates: int
    stopped: bool


def learn(
    suite: str | TaskSuite | None = None,
    agent: str | None = None,
    *,
    callbacks: Callback | ScheduledCallback | Sequence[Callback | ScheduledCallback] = (),
    console: Console | None = None,
    **settings: Any,
) -> Result:
    """Train an agent on a suite and write a run folder, as ``python -m mtrl.train`` does.

    Args:
        suite: A suite, or its name; by default ``tabletop-50``, or with ``from_run`` the suite of that run.
        agent: The agent's name, one of those that ``python -m mtrl.list`` shows, or your own as ``module:attribute``;
            by default ``care``, or with ``from_run`` the agent of that run.
        callbacks: A function, or several, called with a ``TrainingStatus`` after every log entry and every evaluation,
            and once when learning starts; training ends when one of them returns False. ``mtrl.every`` gives a callback
            its own interval.
        console: Console to show progress on; silent by default.
        **settings: The flags of ``python -m mtrl.train --help``, with underscores: ``steps_per_task``, ``seed``,
            ``runs_dir``, ``hidden``. The defaults are the same, but no baseline is trained.

    Returns:
        The run folder, the final scores and the length of the run.

    Raises:
        UsageError: The agent or a setting does not exist, or a value is out of range.
        SuiteError: The suite cannot be made, or an environment breaks the contract.
        TaskFailed: An environment failed three times in a row.
        RunError: Training diverged to non-finite numbers, or a callback stopped ``sb3`` before each task had a model.
        Stopped: A signal such as Ctrl-C ended it; the weights so far are saved.

    Example:
        >>> def unsolved(status: mtrl.TrainingStatus) -> bool:
        ...     return (status.evaluation.get("success_any") or 0.0) < 0.95
        >>> result = mtrl.learn("tabletop", "mtsac", steps_per_task=20_000, seed=1, callbacks=[unsolved])
        >>> any_step = result.scores["push"].success_any
    """
    if not isinstance(suite, str | TaskSuite | None):
        make_suite(suite)  # raises, naming what is expected
    given = suite if isinstance(suite, TaskSuite) else None
    config = config_of_settings(suite.name if isinstance(suite, TaskSuite) else suite, agent, settings)
    if given is not None:
        config = dataclasses.replace(config, suite=f"{OBJECT_PREFIX}{given.name}")
    result = trainer_of(config)(config, console or Console(quiet=True), given=given, callbacks=_listed(callbacks))
    return Result(
        Path(result["path"]),
        {name: _score_of(entry) for name, entry in result["tasks"].items()},
        result["steps_per_task"],
        result["env_steps"],
        result["updates"],
        bool(result.get("stopped")),
    )


def _listed(
    callbacks: Callback | ScheduledCallback | Sequence[Callback | ScheduledCallback],
) -> Sequence[Callback | ScheduledCallback]:
    return (
        callbacks if isinstance(callbacks, Sequence) and not isinstance(callbacks, ScheduledCallback) else [callbacks]
    )


def config_of_settings(suite: str | None, agent: str | None, settings: Mapping[str, Any]) -> TrainConfig[Any]:
    """Return the configuration of an agent on a suite: its defaults, overridden by ``settings``.

    None is the default suite or agent, or with ``from_run`` that of the run.

    Raises ``UsageError`` for a setting that does not exist or an invalid value.
    """
    settings = {name: value.item() if isinstance(value, np.generic) else value for name, value in settings.items()}
    pieces = {slot: str(settings[slot]) for slot in SLOTS if slot in settings}
    if settings.get("from_run") is None:
        start = (suite or TrainConfig.suite, agent or TrainConfig.agent)
        defaults = default_config(*start, settings.get("recipe", STANDARD), pieces)
    else:
        source = Path(settings["from_run"])
        given = {"recipe": settings.get("recipe")}
        defaults = continued(source, _config_of(source, agent), suite, given, pieces)
    values = {**defaults.to_json(), "baseline": "none"}
    own = values["settings"]
    known = [name for name in (*values, *own) if name not in ("suite", "agent", "baseline", "settings")]
    for name, value in settings.items():
        if name not in known:
            raise UsageError(
                f"unknown setting {name!r} of {defaults.agent}; it has {', '.join(known)}.{nearest(name, known)}"
            )
        table = own if name in own else values
        table[name] = str(value) if isinstance(value, Path) else value
    try:
        config = TrainConfig.from_json(values)
    except TypeError as error:  # a value needed to look up a piece or a folder; all others are checked below
        raise UsageError(f"a setting has a value of the wrong type: {error}") from None
    # Unlike those read from a file, settings of the user's own modules have their own class, which defines ranges.
    config = dataclasses.replace(config, settings=dataclasses.replace(defaults.settings, **vars(config.settings)))
    config = with_added_tasks(config, tasks_given="tasks" in settings, baseline_given=True)
    check_config(config)
    return config


def _config_of(source: Path, agent: str | None) -> TrainConfig[Any]:
    """Return the configuration of a run to start from. Raises ``UsageError`` if its agent is another one."""
    config = read_run(source)[0]
    if agent not in (None, config.agent):
        raise UsageError(f"from_run is {str(source)!r}, a run of agent {config.agent!r}; give agent={config.agent!r}")
    return config


def _score_of(entry: Mapping[str, Any]) -> TaskScore:
    """Return the score in a task's entry of ``result.json``."""
    any_step, last = (math.nan if entry[name] is None else entry[name] for name in ("success_any", "success_last"))
    return TaskScore(any_step, last, entry["return"], entry["episodes"])
