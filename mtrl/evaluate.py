"""Evaluate a trained run on fresh seeds: ``python -m mtrl.evaluate RUN``."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from agents.registry.facts import setting
from mtrl.config.train_config import MAX_COPIES, MAX_SEED
from mtrl.errors import UsageError
from mtrl.terminal.cli import command, parse

if TYPE_CHECKING:
    from envs.suite import TaskSuite
    from mtrl.config import TrainConfig
    from mtrl.policies.parts import Part
    from mtrl.scoring.scores import Policy

DEFAULT_SEED = 1_000_000


@dataclass(frozen=True)
class EvaluateConfig:
    """Evaluate a run's deterministic policy on new seeds, print a table and write evaluation.json.

    Held-out tasks have their own table and file, evaluation-held-out.json, and so have paraphrased ones.
    """

    run: Annotated[Path, tyro.conf.Positional]
    """A run folder, such as runs/tabletop/care/seed0."""
    tasks: tuple[str, ...] = ()
    """Tasks to evaluate, held-out ones included; held-out means all of those, paraphrased all that have a paraphrase,
    told by it; by default, all training tasks."""
    episodes: int | None = setting(None, least=1, most=MAX_COPIES)
    """Episodes per task; by default, each fixed start once, or 50 where starts are random."""
    seed: int = setting(DEFAULT_SEED, least=0, most=MAX_SEED)
    """Seed of the environments; starts are new unless the run was trained with this seed."""
    suite: str | None = None
    """The run's suite again, if it is a module or a TOML file: only what you name is imported."""
    trust: bool = False
    """Allow importing the modules that the run's files name."""
    device: str = "auto"
    """Device: auto (a GPU if there is one), cpu or cuda."""
    record: Path | None = None
    """Record one episode of each task, side by side, to this .gif or .mp4 file."""
    ablate_encoders: bool = False
    """Evaluate again without each encoder of the mixture, print the differences and write ablation.json."""


def main(arguments: Sequence[str]) -> int:
    """Parse, load, play, print and write."""
    options: EvaluateConfig = parse(EvaluateConfig, "mtrl.evaluate", arguments)
    return evaluate(options)


def evaluate(options: EvaluateConfig) -> int:
    """Play the episodes and write what came of them into the run folder."""
    from mtrl.policies.parts import parts_of
    from mtrl.runs.folder import ABLATION
    from mtrl.runs.trust import open_run
    from mtrl.runs.unfinished import stopped_at, warn_if_stopped
    from mtrl.scoring.ablation import ablation_table
    from mtrl.scoring.final import as_scored
    from mtrl.scoring.finished_run import ablation_of, evaluation_of, warn_of_changed_sentences, write_evaluation
    from mtrl.scoring.score_table import comparison_table
    from mtrl.terminal.console import plain_console
    from mtrl.terminal.guardian import guarded
    from mtrl.training.assemble import device_of
    from mtrl.video.recording import check_film, record

    if options.record is not None:
        check_film(options.record)
    config, facts, suite = open_run(options.run, options.suite, options.trust)
    config = dataclasses.replace(config, device=options.device)
    device = device_of(config)
    parts = parts_of(options.run, options.tasks, config, suite, facts)
    ablated = ablated_policies(options.run, config, suite, parts) if options.ablate_encoders else []
    warn_if_stopped(options.run, config)
    warn_of_changed_sentences(config, suite, facts)
    console = plain_console()
    with guarded() if as_scored(suite).simulator is None else nullcontext():
        for part in parts:
            result = {**evaluation_of(part, config, options.episodes, options.seed), **stopped_at(options.run)}
            write_evaluation(options.run / f"evaluation{part.suffix}.json", result)
            console.print(comparison_table([result]))
            if ablated:
                worth = ablation_of(part, ablated, config, options.episodes, options.seed)
                write_evaluation(options.run / ABLATION, worth)
                console.print(ablation_table(worth))
        if options.record is not None:  # last, so that tasks that cannot draw themselves are scored all the same
            for part in parts:
                film = options.record.with_stem(options.record.stem + (part.suffix if len(parts) > 1 else ""))
                record(as_scored(part.suite), part.policy, film, options.seed, device)
                console.print(f"recorded one episode of each task: {film}", markup=False)
    return 0


def ablated_policies(run: Path, config: TrainConfig[Any], suite: TaskSuite, parts: Sequence[Part]) -> list[Policy]:
    """Load the run's policies without one encoder each. Raises ``UsageError`` without a mixture or for other tasks."""
    from mtrl.policies.ablated import policies_without

    if any(part.kind for part in parts):
        raise UsageError("--ablate-encoders needs training tasks; remove held-out and paraphrased ones from --tasks")
    return policies_without(run, config, suite, parts[0].suite.task_names)


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
