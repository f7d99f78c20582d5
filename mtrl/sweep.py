"""Train agents over seeds, several runs at once, and compare them: ``python -m mtrl.sweep --agents care,mtsac``."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agents.registry.facts import setting
from mtrl.config import agent_spec
from mtrl.config.arguments import defaults_of, value_of
from mtrl.config.train_config import MAX_PROCESSES
from mtrl.errors import UsageError
from mtrl.sweeping.plan import Job, make_plan, place_of
from mtrl.terminal.cli import FAILED, command, parse

if TYPE_CHECKING:
    from rich.console import Console

    from mtrl.gathering.run import Run

MAX_SEEDS = 1_000


@dataclass(frozen=True)
class SweepConfig:
    """Train every agent with every seed, several runs at a time, and compare them at the end.

    Runs that already exist are reused, so the same command continues after an interruption. Arguments after -- are
    passed on to mtrl.train, as in: mtrl.sweep --agents care,mtsac --seeds 0-2 -- --steps-per-task 20000
    With -- --config FILE, the suite defaults to the one in that file.
    """

    suite: str = "tabletop-50"
    """A suite listed by python -m mtrl.list, or your own: module:attribute, tasks.toml, or gym:ID,ID."""
    agents: str = "care,mtsac,mtmhsac,single-task,sb3"
    """Agents, separated by commas."""
    seeds: str = "0-4"
    """Seeds: a range such as 0-4, or a list such as 0,2,5."""
    jobs: int = setting(1, ge=1, le=MAX_PROCESSES)
    """Runs at a time; they share the processors equally."""
    runs_dir: Path = Path("runs")
    """Directory of the run folders; logs go to .sweep beside those of the agents."""
    size_matched: bool = False
    """Also train, for each agent that shares, a plain control: an mtsac whose width matches the agent's number of
    parameters."""
    dry_run: bool = False
    """Print what would be run without running it."""


def main(arguments: Sequence[str]) -> int:
    """Parse, plan, run what is missing, and compare; return 1 if a run failed."""
    own, further = split(arguments)
    options: SweepConfig = parse(SweepConfig, "mtrl.sweep", own, place_of=place_of)
    agents, seeds = agents_of(options.agents), seeds_of(options.seeds)
    # After --, --config may name a suite too; a suite that imports code must be given here, or trusted there.
    named = value_of(own, "--suite") or (defaults_of(further).suite if value_of(further, "--config") else options.suite)
    plan = make_plan(named, agents, seeds, options.jobs, options.runs_dir, further)

    from mtrl.terminal.console import plain_console

    console = plain_console()
    if options.size_matched:
        from mtrl.sweeping.matched import with_controls

        plan, lines = with_controls(plan)
        for line in lines:
            console.print(line, markup=False)
    if options.dry_run:
        return show(plan, console)
    return sweep(plan, options.jobs, console)


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return this command's arguments, and those after ``--``."""
    words = list(arguments)
    where = words.index("--") if "--" in words else len(words)
    return words[:where], words[where + 1 :]


def agents_of(text: str) -> list[str]:
    """Parse comma-separated agent names, dropping duplicates. Raises ``UsageError`` for an unknown one."""
    return list(dict.fromkeys(agent_spec(name.strip()).name for name in text.split(",")))


def seeds_of(text: str) -> list[int]:
    """Parse seeds such as ``0-4``, ``0,2,5`` or ``0-2,7``, dropping duplicates. Raises ``UsageError`` otherwise."""
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,10})\s*(?:-\s*(\d{1,10})\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
        if last < first:
            raise UsageError(f"--seeds is {text!r}; give a range such as 0-4, or seeds such as 0,2,5")
        if last - first >= MAX_SEEDS:
            raise UsageError(f"--seeds is {text!r}, more than {MAX_SEEDS} seeds; give fewer")
        seeds += range(first, last + 1)
    return list(dict.fromkeys(seeds))


def show(plan: Sequence[Job], console: Console) -> int:
    """Print the plan, one command per line."""
    for job in plan:
        for why in job.left_out():
            console.print(f"{job.name}: left out: {why}", markup=False)
        done = job.finished()
        state = f"already exists, {done.path}{_other_code(done)}" if done else shlex.join(job.command(job.unfinished()))
        console.print(f"{job.name}: {state}", markup=False)
    return 0


def sweep(plan: Sequence[Job], jobs: int, console: Console) -> int:
    """Run the missing jobs, compare all finished runs and return the exit code. Raises ``Stopped`` after a signal."""
    from mtrl.comparison.output import compare_and_show, writable
    from mtrl.gathering.gather import gather
    from mtrl.sweeping.pool import run_all

    folder = writable(plan[0].folder.parent, "--runs-dir")
    done = {job: run for job in plan if (run := job.finished())}
    for job, run in done.items():
        console.print(f"{job.name}: already exists, {run.path}{_other_code(run)}", markup=False)
    missing = [job for job in plan if job not in done]
    for job in missing:
        for why in job.left_out():
            console.print(f"{job.name}: left out: {why}", markup=False)
    failures = run_all(missing, jobs, console) if missing else {}
    finished = [run for job in plan if (run := done.get(job) or job.finished())]
    if finished:
        compare_and_show(gather([run.path for run in finished]), console, folder)
    for job, why in failures.items():
        console.print(f"failed: {job.name}: {why} (log: {job.log})", markup=False)
    return FAILED if failures else 0


def _other_code(run: Run) -> str:
    """Return a note if a run was made with other code; it is reused nevertheless, as its settings are the same."""
    from mtrl.runs.folder import git_state

    state, other = git_state() or {}, run.facts.get("git") or {}
    if state == other and not state.get("changed"):
        return ""
    if state.get("commit") == other.get("commit"):
        return " (made with uncommitted changes)"
    return f" (made with other code: commit {str(other.get('commit'))[:9]})"


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
