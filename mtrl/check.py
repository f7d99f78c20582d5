"""Check a suite or an agent against the contract: ``python -m mtrl.check SUITE`` or ``--agent NAME``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro

from agents.registry.facts import setting
from agents.registry.spec import RegistryError
from envs.check import ENDLESS_STEPS, check_suite, check_unseen
from envs.printable import printable
from envs.registry import make_suite
from mtrl.config import agent_spec
from mtrl.config.train_config import MAX_STEPS, as_usage
from mtrl.errors import UsageError
from mtrl.terminal.cli import BAD_INPUT, command, parse


@dataclass(frozen=True)
class CheckConfig:
    """Step every task of a suite, or train an agent on random batches, and report what breaks the contract."""

    suite: Annotated[str, tyro.conf.Positional] = ""
    """A suite listed by mtrl.list, or your own: module:attribute, tasks.toml, or gym:ID,ID."""
    agent: str = ""
    """Check an agent instead: one listed by mtrl.list, or your own as module:attribute."""
    max_steps: int = setting(ENDLESS_STEPS, ge=1, le=MAX_STEPS)
    """Number of steps after which an episode is reported as endless."""


def main(arguments: Sequence[str]) -> int:
    """Parse, check and print; return 2 if there is a problem."""
    options: CheckConfig = parse(CheckConfig, "mtrl.check", arguments)
    if bool(options.suite) == bool(options.agent):
        raise UsageError("give either a suite or --agent, as in python -m mtrl.check my_module:suite")
    return _check_agent(options.agent) if options.agent else _check_suite(options)


def _check_agent(name: str) -> int:
    from agents.check import check_agent

    spec = agent_spec(name)
    try:
        report = check_agent(spec)
    except RegistryError as error:
        raise as_usage(error) from error
    lines = [f"agent {report.agent}: {spec.description}"]
    lines += [f"  passed: {line}" for line in report.passed]
    lines += [f"  skipped: {line}" for line in report.skipped]
    lines += [f"  problem: {line}" for line in report.problems]
    lines.append("this agent breaks the contract" if report.problems else "no problems found")
    sys.stdout.write("\n".join(lines) + "\n")
    return BAD_INPUT if report.problems else 0


def _check_suite(options: CheckConfig) -> int:
    suite = make_suite(options.suite)
    reports = check_suite(suite, options.max_steps)
    unseen = check_unseen(suite, reports, options.max_steps)

    from rich.markup import escape
    from rich.table import Table

    from mtrl.terminal.console import plain_console

    console = plain_console()
    table = Table(title=escape(f"suite {suite.name}"), title_justify="left")
    for name in ("task", "description"):
        table.add_column(name)
    for name in ("observation", "action", "horizon", "steps/s"):
        table.add_column(name, justify="right")
    for report in (*reports, *unseen):
        measured = report.horizon > 0
        table.add_row(
            escape(f"{report.name} (held out)" if report in unseen else report.name),
            escape(printable(report.description)),
            *(str(size or "-") for size in (report.obs_size, report.action_size, report.horizon)),
            f"{report.steps_per_second:,.0f}" if measured else "-",
        )
    console.print(table)
    all_reports = [*reports, *unseen]
    problems = [problem for report in all_reports for problem in report.problems]
    for kind, lines in (("remark", [r for report in all_reports for r in report.remarks]), ("problem", problems)):
        for line in lines:
            console.print(f"{kind}: {line}", markup=False)
    console.print("this suite breaks the contract" if problems else "no problems found")
    return BAD_INPUT if problems else 0


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
