"""List suites, their tasks with sentences, agents and pieces: ``python -m mtrl.list``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agents.registry.compose import pieces_of
from agents.registry.lookup import KINDS, built_in, installed, resolve
from agents.registry.spec import BUILT_IN, AgentSpec, Kind, RegistryError, Spec
from envs.errors import SuiteError, warn
from envs.printable import printable
from envs.registry import BUILT_IN as BUILT_IN_SUITES
from envs.registry import installed as installed_suites
from envs.registry import make_suite
from envs.suite import TaskSuite
from mtrl.config import agent_spec
from mtrl.config.train_config import as_usage
from mtrl.terminal.cli import command, parse

PLURAL = {"penalty": "penalties", "head": "critic heads"}
MAX_LISTED = 10  # tasks shown per suite when several suites are listed


@dataclass(frozen=True)
class ListConfig:
    """List the suites with their tasks and task descriptions, the agents, and the pieces that agents are built from."""

    suite: str = ""
    """Show only this suite, which may be your own (module:attribute, tasks.toml, gym:ID,ID)."""
    agent: str = ""
    """Show only this agent, which may be your own (module:attribute), and its pieces."""
    json: bool = False
    """Print JSON: suites, agents and pieces, each with its kind, description and source."""


def main(arguments: Sequence[str]) -> int:
    """Parse and print."""
    options: ListConfig = parse(ListConfig, "mtrl.list", arguments)
    suites = [] if options.agent and not options.suite else list(_suites(options.suite))
    agents, pieces = _of_agent(options.agent) if options.agent else _all_specs()
    if options.json:
        listing = {
            "suites": [_suite_entry(name, suite) for name, suite in suites],
            "agents": [_entry(spec) for spec in agents],
            "pieces": [_entry(spec) for spec in pieces],
        }
        sys.stdout.write(json.dumps(listing, indent=2) + "\n")
        return 0
    lines = [line for name, suite in suites for line in _suite_lines(name, suite, alone=bool(options.suite))]
    for kind in KINDS:
        own = [spec for spec in (*agents, *pieces) if spec.kind == kind]
        width = max((len(spec.name) for spec in own), default=0)
        lines += [PLURAL.get(kind, f"{kind}s"), *(f"  {spec.name:<{width}}  {spec.description}" for spec in own)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _suites(requested: str) -> Iterator[tuple[str, TaskSuite]]:
    for name in [requested] if requested else sorted({*BUILT_IN_SUITES, *installed_suites()}):
        try:
            yield name, make_suite(name)
        except SuiteError as error:
            if requested or name in BUILT_IN_SUITES:
                raise
            warn(str(error))  # one broken package must not hide the others


def _all_specs() -> tuple[list[Spec], list[Spec]]:
    """Return the agents, and the pieces by kind, built-in and installed; warn about broken ones."""
    found: dict[Kind, list[Spec]] = {}
    for kind in KINDS:
        found[kind] = [*built_in(kind).values()]
        for name in installed(kind):
            try:
                found[kind].append(resolve(kind, name))
            except RegistryError as error:
                warn(str(error))
    return found["agent"], [spec for kind in KINDS[1:] for spec in found[kind]]


def _of_agent(name: str) -> tuple[list[AgentSpec], list[Spec]]:
    agent = agent_spec(name)
    try:
        return [agent], [*pieces_of(agent).values()]
    except RegistryError as error:
        raise as_usage(error) from error


def _entry(spec: Spec) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "kind": spec.kind,
        "name": spec.name,
        "description": spec.description,
        "source": spec.source,
    }
    if isinstance(spec, AgentSpec) and spec.of_pieces:
        entry["pieces"] = {slot: piece.name for slot, piece in pieces_of(spec).items()}
    return entry


def _suite_entry(name: str, suite: TaskSuite) -> dict[str, Any]:
    points = installed_suites()
    source = BUILT_IN if name in BUILT_IN_SUITES else points[name].value if name in points else name
    tasks = [{"name": t.name, "description": t.description, "held_out": t in suite.held_out} for t in _tasks(suite)]
    return {"kind": "suite", "name": name, "description": _count(suite), "source": source, "tasks": tasks}


def _suite_lines(name: str, suite: TaskSuite, alone: bool) -> list[str]:
    """Return the lines of a suite: its tasks with descriptions.

    Held-out tasks, and the tasks of a large suite, are listed only if the suite is listed alone.
    """
    tasks = _tasks(suite) if alone else [*suite.tasks]
    width = max(len(task.name) for task in tasks)
    if len(suite.tasks) > MAX_LISTED and not alone:
        return [f"suite {name}: {_count(suite)} (python -m mtrl.list --suite {name})"]
    marked = ("  (held out)" if task in suite.held_out else "" for task in tasks)
    rows = [
        f"  {task.name:<{width}}  {printable(task.description)}{mark}" for task, mark in zip(tasks, marked, strict=True)
    ]
    return [f"suite {name}: {_count(suite)}", *rows]


def _tasks(suite: TaskSuite) -> list[Any]:
    return [*suite.tasks, *suite.held_out]


def _count(suite: TaskSuite) -> str:
    held_out = f", {len(suite.held_out)} held out" if suite.held_out else ""
    return f"{len(suite.tasks)} task{'' if len(suite.tasks) == 1 else 's'}{held_out}"


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
