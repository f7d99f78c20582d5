"""Evaluate a trained run on fresh seeds: ``python -m mtrl.evaluate RUN``."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from envs.errors import nearest
from mtrl.cli import UsageError, command, parse

if TYPE_CHECKING:
    from envs.suite import TaskSuite
    from mtrl.config import TrainConfig
    from mtrl.scores import Policy

DEFAULT_SEED = 1_000_000
EPISODES = 50
HELD_OUT = "held-out"
ABLATION = "ablation.json"


@dataclass(frozen=True)
class EvaluateConfig:
    """Play deterministic episodes of a run's tasks on fresh seeds, print the table and write evaluation.json.

    Held-out tasks have a table and a file of their own, evaluation-held-out.json.
    """

    run: Annotated[Path, tyro.conf.Positional]
    """A run folder, such as runs/tabletop/care/seed0."""
    tasks: tuple[str, ...] = ()
    """Only these, held-out ones too; held-out alone stands for all of those; none given means all that were trained."""
    episodes: int | None = None
    """Episodes of each task; unless given, each start once where a task has fixed ones, else 50."""
    seed: int = DEFAULT_SEED
    """Of the environments: fresh starts, unless the run itself had this seed."""
    suite: str | None = None
    """The run's suite once more, where it is a module or a TOML file: only what you name is imported."""
    trust: bool = False
    """Import whatever the run's files name."""
    device: str = "auto"
    """auto, cpu or cuda."""
    record: Path | None = None
    """Write one episode of each task, side by side, to this .gif or .mp4 file."""
    ablate_encoders: bool = False
    """Play once more without each encoder of a mixture, print what it is worth to each task and write ablation.json."""


@dataclass(frozen=True)
class Part:
    """Tasks that are played and reported together: trained ones, or held-out ones."""

    suite: TaskSuite
    policy: Policy
    held_out: bool

    @property
    def suffix(self) -> str:
        """What its files have in their names."""
        return f"-{HELD_OUT}" if self.held_out else ""


def main(arguments: Sequence[str]) -> int:
    """Parse, load, play, print and write."""
    options: EvaluateConfig = parse(EvaluateConfig, "mtrl.evaluate", arguments)
    if options.episodes is not None and options.episodes < 1:
        raise UsageError(f"--episodes is {options.episodes}; it has to be at least 1")
    if options.seed < 0:
        raise UsageError(f"--seed is {options.seed}; it has to be at least 0")
    return evaluate(options)


def evaluate(options: EvaluateConfig) -> int:
    """Play the episodes and write what came of them into the run folder."""
    from rich.console import Console

    from mtrl.ablate import ablation, ablation_table
    from mtrl.assemble import device_of, processes_of
    from mtrl.final import as_scored
    from mtrl.record import check_film, record
    from mtrl.tables import comparison_table
    from mtrl.trust import open_run

    if options.record is not None:
        check_film(options.record)
    config, facts, suite = open_run(options.run, options.suite, options.trust)
    config = dataclasses.replace(config, device=options.device)
    device = device_of(config)
    parts = parts_of(options, config, suite, facts)
    ablated = ablated_policies(options, config, suite, parts) if options.ablate_encoders else []
    warn_of_changed_sentences(config, suite, facts)
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    for part in parts:
        result = scores_of(part, options, config)
        write(options.run / f"evaluation{part.suffix}.json", result)
        console.print(comparison_table([result]))
        if ablated:
            worth = ablation(
                part.suite, [part.policy, *ablated], *played(part, options), device, **processes_of(config)
            )
            write(options.run / ABLATION, worth)
            console.print(ablation_table(worth))
    if options.record is not None:  # last, so that tasks that cannot draw themselves are scored all the same
        for part in parts:
            film = options.record.with_stem(options.record.stem + (part.suffix if len(parts) > 1 else ""))
            record(as_scored(part.suite), part.policy, film, options.seed, device)
            console.print(f"one episode of each task: {film}")
    return 0


def parts_of(options: EvaluateConfig, config: TrainConfig[Any], suite: TaskSuite, facts: dict[str, Any]) -> list[Part]:
    """Sort out which tasks are to be played, and load a policy for each part of them, before anything is played."""
    from mtrl.policies import policy_for_new, policy_of

    asked = options.tasks or suite.task_names
    unseen = suite.unseen() if suite.held_out or HELD_OUT in asked else None
    new_names = unseen.task_names if unseen else ()
    known = (*suite.task_names, *new_names, *([HELD_OUT] if unseen else []))
    for name in asked:
        if name not in known:
            raise UsageError(
                f"unknown task {name!r}; {str(options.run)!r} was trained on {', '.join(suite.task_names)}; held out: "
                f"{', '.join(new_names) or 'none'}.{nearest(name, known)}"
            )
    parts = []
    if trained := [name for name in suite.task_names if name in asked]:
        parts.append(Part(suite.only(trained), policy_of(options.run, config, suite, trained), held_out=False))
    if unseen and (names := [name for name in new_names if name in asked or HELD_OUT in asked]):
        new = unseen.only(names)
        policy = policy_for_new(options.run, config, suite, new, facts.get("context_source"))
        parts.append(Part(new, policy, held_out=True))
    return parts


def scores_of(part: Part, options: EvaluateConfig, config: TrainConfig[Any]) -> dict[str, Any]:
    """Play a part -> what its file holds."""
    from mtrl.assemble import device_of, processes_of
    from mtrl.final import play

    tasks = part.suite.tasks
    scores = play(config, part.suite, part.policy, *played(part, options), device_of(config), **processes_of(config))
    told: dict[str, Any] = {"suite": part.suite.name, "agent": config.agent, "seed": options.seed}
    if part.held_out:
        told["held_out"] = True
        for task in tasks:
            scores["tasks"][task.name]["range"] = next((t for t in task.tags if t in ("inside", "outside")), None)
    return {**told, **scores}


def played(part: Part, options: EvaluateConfig) -> tuple[list[int], int]:
    """Return how many episodes of each task of a part are played, and from which seed."""
    from mtrl.final import episodes_of

    tasks = part.suite.tasks
    return [options.episodes] * len(tasks) if options.episodes else episodes_of(part.suite, EPISODES), options.seed


def ablated_policies(
    options: EvaluateConfig, config: TrainConfig[Any], suite: TaskSuite, parts: Sequence[Part]
) -> list[Policy]:
    """Load the run's policies without one encoder each. Raises ``UsageError`` where there are none such."""
    from mtrl.policies import policies_without

    if any(part.held_out for part in parts):
        raise UsageError("--ablate-encoders plays tasks that were trained; leave held-out ones out of --tasks")
    return policies_without(options.run, config, suite, parts[0].suite.task_names)


def write(path: Path, result: dict[str, Any]) -> None:
    """Write a file of the run. Raises ``UsageError`` where it cannot be written."""
    try:
        path.write_text(json.dumps(result, indent=2) + "\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def warn_of_changed_sentences(config: TrainConfig[Any], suite: TaskSuite, facts: dict[str, Any]) -> None:
    """Say on stderr which tasks are described in other words than those that a run's agent reads."""

    told = facts.get("task_sentences")
    trained: dict[str, str] = told if isinstance(told, dict) else {}
    changed = [task.name for task in suite.tasks if trained.get(task.name, task.description) != task.description]
    if changed and config.settings.context is not None and facts.get("context_source") != "none":
        sys.stderr.write(
            f"warning: the sentences of {', '.join(changed)} have changed since the run was trained; its weights hold "
            "the old ones, so the scores of its own tasks are for those\n"
        )


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
