"""The runs of a sweep: the plan, how each run is started, and which runs already exist."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.registry.compose import outside_names
from agents.registry.settings import SACSettings
from mtrl.config import TrainConfig, agent_spec
from mtrl.config.owners import owners_in_words
from mtrl.errors import UsageError
from mtrl.runs.folder import RESULT, agent_folder, read_run, seed_folders
from mtrl.runs.origin import has_changed
from mtrl.runs.reuse import same_run

if TYPE_CHECKING:
    from mtrl.gathering.run import Run

# Flags that the sweep itself passes to each run, and how the user sets them instead.
RESERVED = {
    "--suite": "give --suite before --",
    "--agent": "give --agents before --",
    "--seed": "give --seeds before --",
    "--runs-dir": "give --runs-dir before --",
    "--baseline": "name the baseline among --agents",
}
LOGS = ".sweep"  # hidden, so that patterns such as runs/tabletop/* do not match it


def place_of(name: str) -> str:
    """Return a sentence about where a sweep takes a setting of ``mtrl.train``; empty for any other name."""
    of_agents = owners_in_words(name) or name in {field.name for field in fields(SACSettings)}
    if not of_agents and name not in {field.name for field in fields(TrainConfig)}:
        return ""
    return "" if f"--{name.replace('_', '-')}" in RESERVED else "Flags of mtrl.train go after --."


@dataclass(frozen=True, eq=False)
class Job:
    """One run of a sweep: the arguments of ``mtrl.train``, their configuration, and the folder of its agent's runs.

    ``size_of`` is the folder name of the agent that this is the plain control of, or empty.
    """

    arguments: tuple[str, ...]
    config: TrainConfig[Any]
    folder: Path
    size_of: str = ""

    @property
    def name(self) -> str:
        """Its name in lines of output."""
        control = f" (size of {self.size_of})" if self.size_of else ""
        return f"{self.config.agent}{control} seed {self.config.seed}"

    def command(self, unfinished: Path | None = None) -> list[str]:
        """Return the command line that starts the run, or resumes the ``unfinished`` one.

        -P, so that a folder of the user's called envs or agents does not take precedence.
        """
        program = [sys.executable, "-P", "-m", "mtrl.train"]
        if unfinished is None:
            return [*program, *self.arguments]
        machine = [f"--{name}={getattr(self.config, name)}" for name in ("threads", "jobs")]
        # A run's own file is not trusted to import code; the suite and the agent here were given to the sweep.
        own = ["--trust"] if outside_names(self.config.agent, self.config.settings) else []
        return [*program, "--resume", str(unfinished), "--suite", self.config.suite, *own, *machine]

    @property
    def log(self) -> Path:
        """The file for the run's output."""
        control = f"-size-of-{self.size_of}" if self.size_of else ""
        return self.folder.parent / LOGS / f"{self.folder.name}{control}-seed{self.config.seed}.log"

    def finished(self) -> Run | None:
        """Return the newest finished run with the same configuration, made with any state of the code."""
        return max(self._found()[0], key=lambda run: run.finished, default=None)

    def left_out(self) -> list[str]:
        """Return why finished runs of this agent and seed are trained again, such as a changed suite file."""
        return self._found()[1]

    def _found(self) -> tuple[list[Run], list[str]]:
        from mtrl.gathering.run import load_run

        found, left_out = [], []
        for path in seed_folders(self.folder, self.config.seed):
            if not (path / RESULT).is_file():
                continue
            try:
                config, facts = read_run(path)
                if not same_run(config, self.config):
                    continue
                if has_changed(self.config.suite, facts):
                    left_out.append(f"{str(path)!r} was trained on an earlier version of suite {self.config.suite!r}")
                else:
                    found.append(load_run(path))
            except UsageError as error:
                left_out.append(str(error))
        return found, left_out

    def unfinished(self) -> Path | None:
        """Return the interrupted run with the same configuration that has the newest checkpoint, or None."""
        from mtrl.checkpoints.find import newest_pointer

        found = []
        for path in seed_folders(self.folder, self.config.seed):
            pointer = newest_pointer(path)
            if pointer is None or (path / RESULT).is_file():
                continue
            try:
                config, facts = read_run(path)
                if same_run(config, self.config) and not has_changed(self.config.suite, facts):
                    found.append((pointer.stat().st_mtime_ns, path))
            except UsageError:
                continue
        return max(found)[1] if found else None


def make_plan(
    suite: str, agents: Sequence[str], seeds: Sequence[int], jobs: int, runs_dir: Path, further: Sequence[str]
) -> list[Job]:
    """Return a job for each agent and seed, seeds outermost, so that a sweep that is cut short has all agents.

    ``further`` are flags of ``mtrl.train`` for every run. Raises ``UsageError`` and ``SuiteError`` for anything that
    one of the runs would refuse.
    """
    for word in further:
        flag = word.partition("=")[0].replace("_", "-")
        if flag in RESERVED:
            raise UsageError(f"{flag} cannot be given after --; {RESERVED[flag]}")
    return [_job(suite, agent, seed, jobs, runs_dir, further) for seed in seeds for agent in agents]


def _job(suite: str, agent: str, seed: int, jobs: int, runs_dir: Path, further: Sequence[str]) -> Job:
    from envs.stepping.pace import processors
    from mtrl.config.arguments import parse_config
    from mtrl.training.assemble import MAX_THREADS, check_context, device_of, suite_of

    share = max(1, processors() // jobs)
    arguments = ["--suite", suite, "--agent", agent, "--seed", str(seed), "--baseline", "none"]
    arguments += ["--runs-dir", str(runs_dir), "--threads", str(min(share, MAX_THREADS))]
    if not agent_spec(agent).in_loop:
        arguments += ["--jobs", str(share)]  # its own processes, one per task in training
    arguments += further
    try:
        config = parse_config(arguments)
    except UsageError as error:
        raise UsageError(f"{agent}: {error}") from None
    made = suite_of(config)
    device_of(config)
    check_context(config, made)
    return Job(tuple(arguments), config, agent_folder(runs_dir, made.name, agent))
