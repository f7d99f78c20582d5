"""List suites, their tasks with sentences, and agents: ``python -m mtrl.list``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from agents.presets import PRESETS
from envs.errors import SuiteError
from envs.sources import installed
from envs.suite import BUILT_IN, make_suite
from mtrl.cli import command, parse


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
        width = max(len(task) for task in suite.task_names)
        lines.append(f"suite {name}: {len(suite.tasks)} tasks")
        lines += [f"  {task.name:<{width}}  {task.description}" for task in suite.tasks]
    lines.append("agents")
    width = max(map(len, PRESETS))
    lines += [f"  {name:<{width}}  {preset.description}" for name, preset in PRESETS.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
