"""A run folder is data, not code: modules that its files name are imported only if the user allows it."""

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
# How the user allows it: on a command line, and in a Python call.
ON_COMMAND_LINE, IN_PYTHON = ("--suite {suite}", "--trust"), ("suite={suite!r}", "trust=True")


class OpenedRun(NamedTuple):
    """A run's configuration, the rest of its ``config.json``, and the suite of its tasks."""

    config: TrainConfig[Any]
    facts: dict[str, Any]
    suite: TaskSuite


def open_run(
    path: Path, suite: str | TaskSuite | None, trust: bool, ways: tuple[str, str] = ON_COMMAND_LINE
) -> OpenedRun:
    """Read a run and create its suite: ``suite`` if the user gives one, else the one that its files name.

    Raises ``UsageError`` before anything is imported if ``refuse_imports`` does, and for a suite whose tasks are not
    the run's.
    """
    from mtrl.training.assemble import suite_of

    values = read_values(path / CONFIG)
    refuse_imports(values, str(path), suite is not None, trust, ways)
    config, facts = config_of(values, path / CONFIG)
    opened = suite_of(config, suite)
    sentences = facts.get("task_sentences")
    if suite is not None and isinstance(sentences, dict) and (*sentences,) != opened.task_names:
        raise UsageError(
            f"{str(path)!r} was trained on the tasks {', '.join(sentences)}, but suite {opened.name!r} has "
            f"{', '.join(opened.task_names)}; give the suite that the run was trained on"
        )
    return OpenedRun(config, facts, opened)


def refuse_imports(
    values: Mapping[str, Any], where: str, suite_given: bool, trust: bool, ways: tuple[str, str] = ON_COMMAND_LINE
) -> None:
    """Raise ``UsageError``, in one line, if values from a file would cause code to be imported.

    ``values`` are those of a ``config.json``, and ``where`` is its name in the message. A suite given by the user is
    accepted, and so is anything in a trusted file. ``ways`` are the arguments that allow it.
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
    """Describe what creating a suite of this name would import; empty if it is the kit's own or installed."""
    form = form_of(suite)
    if form == "toml":
        return "a file that may name modules to import"
    if form == "module":
        return f"for which the module {suite.partition(':')[0]!r} would be imported"
    if form == "ids" and ":" in suite.removeprefix("gym:"):
        return "whose ids name modules that would be imported"
    return ""


def _references(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield names and values that would be imported: the agent, pieces, and settings that look like references."""
    settings = values.get("settings")
    named = {"agent": values.get("agent"), **(settings if isinstance(settings, dict) else {})}
    for name, own in named.items():
        if isinstance(own, str) and (from_outside(own) if name in ("agent", *SLOTS) else REFERENCE.fullmatch(own)):
            yield name, own
