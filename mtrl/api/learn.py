"""A training as a call: ``mtrl.learn``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from agents.compose import SLOTS
from envs.errors import nearest
from envs.registry import OBJECT
from envs.suite import TaskSuite
from mtrl.cli import UsageError
from mtrl.config import STANDARD, TrainConfig
from mtrl.config_checks import check_config
from mtrl.defaults import default_config
from mtrl.scores import TaskScore
from mtrl.trainers import trainer_of
from mtrl.training.callbacks import Callback, ScheduledCallback


@dataclass(frozen=True)
class Result:
    """What a training came to: its run folder, the final scores of each task, and how far it went.

    ``stopped`` says that a callback ended it before its time; ``step`` counts environment steps per task.

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
    suite: str | TaskSuite = "tabletop",
    agent: str = "care",
    *,
    callbacks: Sequence[Callback | ScheduledCallback] = (),
    console: Console | None = None,
    **settings: Any,
) -> Result:
    """Train an agent on a suite, into a run folder as the command ``mtrl.train`` makes it.

    Args:
        suite: A suite, or its name.
        agent: Its name: ``care``, ``mtsac``, ``mtmhsac``, ``single-task`` or ``sb3``.
        callbacks: Functions that are called with a ``TrainingStatus`` at every line of the log and every evaluation.
            Training ends once one of them returns False. ``mtrl.every`` gives one an interval of its own.
        console: Where to show progress; nothing is shown unless it is given.
        **settings: Whatever ``python -m mtrl.train --help`` lists, by its name with underscores: ``steps_per_task``,
            ``seed``, ``runs_dir``, ``hidden``. The defaults are those of the command. No baseline is trained beside it.

    Returns:
        The run's folder, scores and length.

    Raises:
        UsageError: The agent or a setting does not exist, or a value is out of its range.
        SuiteError: The suite cannot be made, or an environment breaks the contract.
        TaskFailed: An environment failed three times in a row.
        RunError: What was learned is no longer finite, or a callback stopped ``sb3`` before each task had a model.
        Stopped: A signal, such as that of Ctrl-C, ended it. Weights are written then as well.

    Example:
        >>> def unsolved(status: mtrl.TrainingStatus) -> bool:
        ...     return (status.evaluation.get("success_any") or 0.0) < 0.95
        >>> result = mtrl.learn("tabletop", "mtsac", steps_per_task=20_000, seed=1, callbacks=[unsolved])
        >>> any_step = result.scores["push"].success_any
    """
    given = suite if isinstance(suite, TaskSuite) else None
    config = config_of_settings(suite.name if isinstance(suite, TaskSuite) else suite, agent, settings)
    if given is not None:
        config = dataclasses.replace(config, suite=f"{OBJECT}{given.name}")
    result = trainer_of(config)(config, console or Console(quiet=True), given=given, callbacks=callbacks)
    return Result(
        Path(result["path"]),
        {name: _score_of(entry) for name, entry in result["tasks"].items()},
        result["steps_per_task"],
        result["env_steps"],
        result["updates"],
        bool(result.get("stopped")),
    )


def config_of_settings(suite: str, agent: str, settings: Mapping[str, Any]) -> TrainConfig[Any]:
    """Return the defaults for an agent on a suite with ``settings``, the run's own and the agent's, put over them.

    Raises ``UsageError`` for a setting that does not exist or has a value that it cannot have.
    """
    pieces = {slot: str(settings[slot]) for slot in SLOTS if slot in settings}
    defaults = default_config(suite, agent, settings.get("recipe", STANDARD), pieces)
    values = {**defaults.to_json(), "baseline": "none"}
    own = values["settings"]
    known = [name for name in (*values, *own) if name not in ("suite", "agent", "baseline", "settings")]
    for name, value in settings.items():
        if name not in known:
            raise UsageError(f"unknown setting {name!r} of {agent}; it has {', '.join(known)}.{nearest(name, known)}")
        table = own if name in own else values
        table[name] = str(value) if isinstance(value, Path) else value
    try:
        config = TrainConfig.from_json(values)
    except TypeError as error:
        raise UsageError(f"a setting has a value of another kind than it takes: {error}") from None
    # Unlike what is read from a file, settings of the user's own modules are of their own class, which has ranges.
    config = dataclasses.replace(config, settings=dataclasses.replace(defaults.settings, **vars(config.settings)))
    check_config(config)
    return config


def _score_of(entry: Mapping[str, Any]) -> TaskScore:
    """Read a task's entry of ``result.json``."""
    any_step, last = (math.nan if entry[name] is None else entry[name] for name in ("success_any", "success_last"))
    return TaskScore(any_step, last, entry["return"], entry["episodes"])
