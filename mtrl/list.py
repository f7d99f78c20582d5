"""List suites, their tasks with sentences, and agents: ``python -m mtrl.list``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from agents.presets import PRESETS
from envs.errors import SuiteError
from envs.sources import installed
from envs.suite import BUILT_IN, TaskSuite, make_suite
from mtrl.cli import command, parse

MOST = 10  # tasks of a suite that are shown beside other suites


@dataclass(frozen=True)
class ListConfig:
    """List the suites, their tasks with the sentences that describe them, and the agents."""

    suite: str = ""
    """Only this suite, which may be your own (module:attribute, tasks.toml, gym:ID,ID)."""


def main(arguments: Sequence[str]) -> int:
    """Parse and print."""
    options: ListConfig = parse(ListConfig, "mtrl.list", arguments)
    lines = []
    for name in [options.suite] if options.suite else sorted({*BUILT_IN, *installed()}):
        try:
            suite = make_suite(name)
        except SuiteError as error:
            if options.suite or name in BUILT_IN:
                raise
            sys.stderr.write(f"warning: {error}\n")  # one broken package must not hide the others
            continue
        lines += _suite_lines(name, suite, whole=bool(options.suite))
    lines.append("agents")
    width = max(map(len, PRESETS))
    lines += [f"  {name:<{width}}  {preset.description}" for name, preset in PRESETS.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _suite_lines(name: str, suite: TaskSuite, whole: bool) -> list[str]:
    """A suite's tasks with their sentences; held-out ones, and those of a large suite, where it was asked for alone."""
    tasks = [*suite.tasks, *(suite.held_out if whole else ())]
    width = max(len(task.name) for task in tasks)
    held_out = f", {len(suite.held_out)} held out" if suite.held_out else ""
    count = f"{len(suite.tasks)} task{'' if len(suite.tasks) == 1 else 's'}{held_out}"
    if len(suite.tasks) > MOST and not whole:
        return [f"suite {name}: {count} (python -m mtrl.list --suite {name})"]
    marked = ("  (held out)" if task in suite.held_out else "" for task in tasks)
    rows = [f"  {task.name:<{width}}  {task.description}{mark}" for task, mark in zip(tasks, marked, strict=True)]
    return [f"suite {name}: {count}", *rows]


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
