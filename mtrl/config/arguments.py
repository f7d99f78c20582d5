"""The command line of a training: its defaults follow from its own ``--suite``, ``--agent`` and ``--config``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple

from agents.registry.compose import SLOTS, pieces_named
from agents.registry.spec import AgentSpec
from envs.errors import nearest
from mtrl.checkpoints.find import run_named
from mtrl.config.checks import check_config
from mtrl.config.continued import continued, with_added_tasks
from mtrl.config.defaults import as_agent, default_config
from mtrl.config.owners import owners_in_words
from mtrl.config.train_config import STANDARD, S, TrainConfig, agent_spec
from mtrl.errors import UsageError
from mtrl.runs.folder import CONFIG, RECORDED, config_of, read_values
from mtrl.runs.trust import refuse_imports
from mtrl.terminal.cli import parse
from mtrl.terminal.paths import path_of


@dataclass(frozen=True)
class TrainArguments(TrainConfig[S], Generic[S]):
    """The command line of a training run: its configuration, and where defaults come from."""

    resume: str | None = None
    """Resume an interrupted run: its folder, or latest, the most recently saved one in --runs-dir."""
    config: Path | None = None
    """A run's config.json; its settings, except --runs-dir, replace the defaults of the other flags."""
    trust: bool = False
    """Allow importing the modules that this file names; otherwise a suite of your own must be named again."""


class Command(NamedTuple):
    """A parsed command line; ``path`` is the run to resume, and ``base`` the configuration it was started with."""

    config: TrainConfig[Any]
    path: Path | None = None
    base: TrainConfig[Any] | None = None


def parse_command(arguments: Sequence[str]) -> Command:
    """Parse a command line of ``mtrl.train``. Raises ``UsageError`` if it is invalid."""
    name = value_of(arguments, "--resume")
    if name is None:
        return Command(parse_config(arguments))
    for flag in ("--config", "--recipe", "--from", "--from-run"):
        if value_of(arguments, flag) is not None:
            raise UsageError(f"--resume continues with the run's own settings; remove {flag}")
    path = run_named(_path(name, "--resume"), Path(value_of(arguments, "--runs-dir") or TrainConfig.runs_dir))
    base = _read(path, value_of(arguments, "--suite") is not None, "--trust" in arguments)
    return Command(parse_config(arguments, base), path, base)


def parse_config(arguments: Sequence[str], base: TrainConfig[Any] | None = None) -> TrainConfig[Any]:
    """Parse a command line over the defaults in ``base``, if given. Raises ``UsageError`` if it is invalid."""
    from envs.registry import BUILT_IN, make_suite

    defaults = base or defaults_of(arguments)
    if defaults.suite not in BUILT_IN and ":" not in defaults.suite:
        make_suite(defaults.suite)  # raises, naming the nearest
    kind: Any = TrainArguments.__class_getitem__(type(defaults.settings))  # type: ignore[attr-defined]
    start = TrainArguments(**_fields(defaults))
    about = _description(agent_spec(defaults.agent))
    parsed: Any = parse(kind, "mtrl.train", arguments, start, owners_in_words, description=about)
    config: TrainConfig[Any] = TrainConfig(**_fields(parsed))
    if "--tasks" in arguments and not config.tasks and config.from_run is not None:
        raise UsageError("--tasks names no task to continue with; give names, or leave it out for the run's own tasks")
    if base is None:
        config = with_added_tasks(
            config, *(value_of(arguments, flag) is not None for flag in ("--tasks", "--baseline"))
        )
    check_config(config)
    return config


def defaults_of(arguments: Sequence[str]) -> TrainConfig[Any]:
    """Return the defaults of a command line: a file's settings, or those of the suite and the agent.

    Raises ``UsageError`` for an unknown agent, piece or recipe, for a file that is not a configuration, and, before
    anything is imported, for one that names what ``refuse_imports`` refuses.
    """
    suite, agent, recipe, file = (value_of(arguments, flag) for flag in ("--suite", "--agent", "--recipe", "--config"))
    pieces = {slot: name for slot in SLOTS if (name := value_of(arguments, f"--{slot}"))}
    if (source := source_run(arguments)) is not None:
        path = Path(_path(source, "--from"))
        given = {"--agent": agent, "--recipe": recipe, "--config": file}
        return continued(path, _read(path / CONFIG, suite is not None, "--trust" in arguments), suite, given, pieces)
    if file is None:
        name = agent_spec(agent or TrainConfig.agent).name
        return default_config(suite or TrainConfig.suite, name, recipe or STANDARD, pieces)
    if recipe is not None:
        raise UsageError("--recipe and --config both set the defaults; give only one of them")
    config = _read(Path(_path(file, "--config")), suite is not None, "--trust" in arguments, written_by_hand=True)
    config = dataclasses.replace(config, suite=suite or config.suite, runs_dir=TrainConfig.runs_dir)
    if agent not in (None, config.agent):
        return as_agent(config, agent_spec(str(agent)).name, pieces)
    if not pieces:
        return config
    return as_agent(config, config.agent, {**pieces_named(config.settings), **pieces})


def source_run(arguments: Sequence[str]) -> str | None:
    """Return the run that a command line starts from, or None."""
    return value_of(arguments, "--from") or value_of(arguments, "--from-run")


def value_of(arguments: Sequence[str], flag: str) -> str | None:
    """Return the last value that a command line gives a flag, as the parser would take it, or None.

    The parser takes ``--from_run`` for ``--from-run``.
    """
    value = None
    for position, argument in enumerate(arguments):
        name, equals, given = argument.partition("=")
        if name.replace("_", "-") != flag:
            continue
        if equals:
            value = given
        elif position + 1 < len(arguments):
            value = arguments[position + 1]
    return value


def _path(text: str, flag: str) -> str:
    """Return a flag's path as given. Raises ``UsageError`` for one that no system can have."""
    try:
        return str(path_of(text))
    except ValueError as error:
        raise UsageError(f"{flag}: {error}") from None


def _read(file: Path, suite_given: bool, trust: bool, written_by_hand: bool = False) -> TrainConfig[Any]:
    """Read a configuration from its file, or from its run folder.

    Raises ``UsageError`` for a file ``written_by_hand`` with an unknown entry, which may be a typing error.
    """
    file = file / CONFIG if file.is_dir() else file
    values = read_values(file)
    known = (*TrainConfig.__dataclass_fields__, *RECORDED)
    if written_by_hand and (unknown := [name for name in values if name not in known]):
        raise UsageError(f"{str(file)!r}: unknown entry {unknown[0]!r}.{nearest(unknown[0], known)}")
    refuse_imports(values, str(file), suite_given, trust)
    return config_of(values, file)[0]


def _fields(config: TrainConfig[Any]) -> dict[str, Any]:
    """Return the fields of a configuration by name, without those that only a command line has."""
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(TrainConfig)}


def _description(agent: AgentSpec) -> str:
    return (
        "Train one agent on a suite of tasks, with a single-task baseline beside it. "
        f"The flags and defaults are those of --agent {agent.name}: {agent.description}."
    )
