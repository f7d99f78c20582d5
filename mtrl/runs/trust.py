"""A run folder is data, not code: what its files name as the suite is imported only where the user says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from agents.registry.compose import SLOTS
from agents.registry.lookup import from_outside
from envs.registry import form_of
from envs.suite import TaskSuite
from mtrl.config import TrainConfig
from mtrl.errors import UsageError
from mtrl.runs.folder import CONFIG, config_of, read_values

REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")  # module:attribute
# What allows it: on a command line, and in a call.
ON_COMMAND_LINE, IN_PYTHON = ("--suite {suite}", "--trust"), ("suite={suite!r}", "trust=True")


class OpenedRun(NamedTuple):
    """A run's configuration, what else its ``config.json`` says, and the suite of its tasks."""

    config: TrainConfig[Any]
    facts: dict[str, Any]
    suite: TaskSuite


def open_run(
    path: Path, suite: str | TaskSuite | None, trust: bool, ways: tuple[str, str] = ON_COMMAND_LINE
) -> OpenedRun:
    """Read a run and make its suite: ``suite`` where the user gives one, else the one that its files name.

    Raises ``UsageError`` before anything is imported where ``refuse_imports`` does, and for a suite whose tasks are not
    the run's.
    """
    from mtrl.training.assemble import suite_of

    values = read_values(path / CONFIG)
    refuse_imports(values, str(path), suite is not None, trust, ways)
    config, facts = config_of(values, path / CONFIG)
    made = suite_of(config, suite)
    told = facts.get("task_sentences")
    if suite is not None and isinstance(told, dict) and (*told,) != made.task_names:
        raise UsageError(
            f"{str(path)!r} was trained on the tasks {', '.join(told)}, but suite {made.name!r} has "
            f"{', '.join(made.task_names)}; give the suite that the run was trained on"
        )
    return OpenedRun(config, facts, made)


def refuse_imports(
    values: Mapping[str, Any], where: str, suite_given: bool, trust: bool, ways: tuple[str, str] = ON_COMMAND_LINE
) -> None:
    """Raise ``UsageError``, in one line, where values out of a file would have code imported.

    ``values`` are those of a ``config.json``, ``where`` is what the message calls it. A suite is no matter where the
    user has given it again, and nothing is where the user trusts the file. ``ways`` are the words that allow it.
    """
    if trust:
        return
    again, anything = ways
    suite = values.get("suite")
    if isinstance(suite, str) and not suite_given and (what := foreign(suite)):
        again = again.format(suite=suite)
        raise UsageError(
            f"{where} names the suite {suite!r}, {what}; if that is yours, give {again}, or {anything} to import "
            "whatever the run names"
        )
    for name, reference in _references(values):
        raise UsageError(
            f"{where} names {reference!r} as its {name}, which would be imported; if that is yours, give {anything}"
        )


def foreign(suite: str) -> str:
    """Return in words what making a suite of this name would import, empty where it is the kit's or installed."""
    form = form_of(suite)
    if form == "toml":
        return "a file that may name modules to import"
    if form == "module":
        return f"for which the module {suite.partition(':')[0]!r} would be imported"
    if form == "ids" and ":" in suite.removeprefix("gym:"):
        return "whose ids name modules that would be imported"
    return ""


def _references(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the names and values of what would be imported: of agent and pieces, and of settings that read like it."""
    settings = values.get("settings")
    named = {"agent": values.get("agent"), **(settings if isinstance(settings, dict) else {})}
    for name, own in named.items():
        if isinstance(own, str) and (from_outside(own) if name in ("agent", *SLOTS) else REFERENCE.fullmatch(own)):
            yield name, own
