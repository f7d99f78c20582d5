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
    from mtrl.policies.parts import TaskPart
    from mtrl.scoring.scores import Policy

DEFAULT_SEED = 1_000_000


@dataclass(frozen=True)
class EvaluateConfig:
    """Evaluate a run's deterministic policy on new seeds, print a table and write evaluation.json.

    The file keeps the scores of other tasks if they have the same weights, seed and protocol. Held-out and paraphrased
    tasks have their own tables and files, such as evaluation-held-out.json.
    """

    run: Annotated[Path, tyro.conf.Positional]
    """A run folder, such as runs/tabletop/care/seed0."""
    tasks: tuple[str, ...] = ()
    """Tasks to evaluate, including held-out ones. `held-out`: all held-out tasks; `paraphrased`: all tasks with a
    paraphrase, described by it. Default: all training tasks."""
    episodes: int | None = setting(None, ge=1, le=MAX_COPIES)
    """Episodes per task; by default, each fixed start once, or 50 where starts are random."""
    seed: int = setting(DEFAULT_SEED, ge=0, le=MAX_SEED)
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
    """Play the episodes and write the results into the run folder."""
    from mtrl.policies.parts import parts_of
    from mtrl.runs.folder import ABLATION
    from mtrl.runs.trust import open_run
    from mtrl.runs.unfinished import stopped_at, warn_if_stopped
    from mtrl.runs.weights_digest import weights_digest
    from mtrl.scoring.ablation import ablation_table
    from mtrl.scoring.final import as_scored
    from mtrl.scoring.finished_run import ablation_of, evaluation_of, warn_of_changes, write_evaluation
    from mtrl.scoring.kept_tasks import with_kept_rows, with_kept_scores
    from mtrl.scoring.score_table import comparison_table
    from mtrl.terminal.console import plain_console
    from mtrl.terminal.guardian import guarded
    from mtrl.training.assemble import device_of
    from mtrl.video.frames import MAX_STEPS
    from mtrl.video.recording import check_video, record

    if options.record is not None:
        check_video(options.record)
    config, facts, suite = open_run(options.run, options.suite, options.trust)
    config = dataclasses.replace(config, device=options.device)
    device = device_of(config)
    parts = parts_of(options.run, options.tasks, config, suite, facts)
    ablated = ablated_policies(options.run, config, suite, parts) if options.ablate_encoders else []
    warn_if_stopped(options.run, config)
    warn_of_changes(config, suite, facts)
    played = {**weights_digest(options.run), **stopped_at(options.run)}
    console = plain_console()
    with guarded() if as_scored(suite).simulator is None else nullcontext():
        for part in parts:
            result = {**evaluation_of(part, config, options.episodes, options.seed), **played}
            file = options.run / f"evaluation{part.suffix}.json"
            write_evaluation(file, with_kept_scores(file, result, part, config))
            console.print(comparison_table([result]))
            if ablated:
                rows = {**ablation_of(part, ablated, config, options.episodes, options.seed), **played}
                write_evaluation(options.run / ABLATION, with_kept_rows(options.run / ABLATION, rows, part))
                console.print(ablation_table(rows))
        if options.record is not None:  # last, so that tasks that cannot render are still scored
            for part in parts:
                video = options.record.with_stem(options.record.stem + (part.suffix if len(parts) > 1 else ""))
                record(as_scored(part.suite), part.policy, video, options.seed, device)
                console.print(f"recorded one episode of each task, at most {MAX_STEPS} steps: {video}", markup=False)
    return 0


def ablated_policies(run: Path, config: TrainConfig[Any], suite: TaskSuite, parts: Sequence[TaskPart]) -> list[Policy]:
    """Load the run's policies without one encoder each. Raises ``UsageError`` without a mixture or for unseen tasks."""
    from mtrl.policies.ablated import policies_without

    if any(part.kind for part in parts):
        raise UsageError("--ablate-encoders needs training tasks; remove held-out and paraphrased ones from --tasks")
    return policies_without(run, config, suite, parts[0].suite.task_names)


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
