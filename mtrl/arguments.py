"""The command line of a training: its defaults follow from its own ``--suite``, ``--agent`` and ``--config``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from agents.compose import SLOTS, pieces_named
from agents.spec import AgentSpec
from mtrl.cli import UsageError, parse
from mtrl.config import STANDARD, S, TrainConfig, agent_spec
from mtrl.config_checks import check_config
from mtrl.defaults import as_agent, default_config
from mtrl.runs import CONFIG, config_of, read_values
from mtrl.trust import refuse_imports


@dataclass(frozen=True)
class TrainArguments(TrainConfig[S], Generic[S]):
    """The command line of a training run: its configuration, and a file of defaults."""

    config: Path | None = None
    """A run's config.json; its settings, except --runs-dir, replace the defaults of the other flags."""
    trust: bool = False
    """Allow importing the modules that this file names; otherwise, a suite of your own has to be given again."""


def parse_config(arguments: Sequence[str]) -> TrainConfig[Any]:
    """Parse a command line of ``mtrl.train``. Raises ``UsageError`` if it is invalid."""
    from envs.registry import BUILT_IN, make_suite

    defaults = defaults_of(arguments)
    if defaults.suite not in BUILT_IN and ":" not in defaults.suite:
        make_suite(defaults.suite)  # raises, naming the nearest
    kind: Any = TrainArguments.__class_getitem__(type(defaults.settings))  # type: ignore[attr-defined]
    start = TrainArguments(**_fields(defaults))
    told: Any = parse(
        kind, "mtrl.train", arguments, default=start, description=_description(agent_spec(defaults.agent))
    )
    config: TrainConfig[Any] = TrainConfig(**_fields(told))
    check_config(config)
    return config


def defaults_of(arguments: Sequence[str]) -> TrainConfig[Any]:
    """Return the defaults of a command line: a file's settings, or those of the suite and the agent.

    Raises ``UsageError`` for an unknown agent, piece or recipe, for a file that is no configuration, and, before
    anything is imported, for one that names what ``refuse_imports`` refuses.
    """
    suite, agent, recipe, file = (value_of(arguments, flag) for flag in ("--suite", "--agent", "--recipe", "--config"))
    pieces = {slot: name for slot in SLOTS if (name := value_of(arguments, f"--{slot}"))}
    if file is None:
        name = agent_spec(agent or TrainConfig.agent).name
        return default_config(suite or TrainConfig.suite, name, recipe or STANDARD, pieces)
    if recipe is not None:
        raise UsageError("--recipe and --config both set the defaults; give only one of them")
    config = _read(Path(file), suite is not None, "--trust" in arguments)
    config = dataclasses.replace(config, suite=suite or config.suite, runs_dir=TrainConfig.runs_dir)
    if agent not in (None, config.agent):
        return as_agent(config, agent_spec(str(agent)).name, pieces)
    if not pieces:
        return config
    return as_agent(config, config.agent, {**pieces_named(config.settings), **pieces})


def value_of(arguments: Sequence[str], flag: str) -> str | None:
    """Return the value that a command line gives a flag last, as the parser would take it; None where it does not."""
    value = None
    for position, argument in enumerate(arguments):
        if argument == flag and position + 1 < len(arguments):
            value = arguments[position + 1]
        elif argument.startswith(f"{flag}="):
            value = argument.partition("=")[2]
    return value


def _read(file: Path, suite_given: bool, trust: bool) -> TrainConfig[Any]:
    """Read a configuration out of its file, or out of the run folder that it is in."""
    file = file / CONFIG if file.is_dir() else file
    values = read_values(file)
    refuse_imports(values, str(file), suite_given, trust)
    return config_of(values, file)[0]


def _fields(config: TrainConfig[Any]) -> dict[str, Any]:
    """Return the fields of a configuration by name, without what a command line has beside them."""
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(TrainConfig)}


def _description(agent: AgentSpec) -> str:
    return (
        "Train one agent on a suite of tasks, with a single-task baseline beside it. "
        f"The flags and defaults are those of --agent {agent.name}: {agent.description}."
    )
