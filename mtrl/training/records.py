"""What a run writes about itself: its weights, its result, its configuration, and the log."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console
from torch import Tensor

from agents.precision import Precision
from envs.stepping.vector import broken_off
from envs.suite import TaskSuite
from mtrl.checkpoints.resume import Resumed
from mtrl.checkpoints.store import Checkpoint
from mtrl.checkpoints.tree import save_arrays
from mtrl.config import TrainConfig
from mtrl.errors import RunError, os_reason
from mtrl.pictures.learning_curves import curves_by_group, learning_curves, task_curves
from mtrl.runs.atomic import replacing
from mtrl.runs.folder import CONFIG, METRICS, WEIGHTS, read_values, write_result
from mtrl.runs.origin import origin_of
from mtrl.runs.unfinished import STEPS
from mtrl.scoring.many_tasks import groups_of
from mtrl.tracking.run_log import RunLog
from mtrl.tracking.stopwatch import Spent
from mtrl.tracking.tabs import final_metrics, hyperparameters
from mtrl.tracking.trackers import params_of, trackers_of


class Progress(NamedTuple):
    """How far a run came."""

    step: int  # environment steps per task
    env_steps: int  # over all tasks
    updates: int


class Outcome(NamedTuple):
    """What a finished run amounts to."""

    progress: Progress
    spent: Spent
    parameters: int
    device: torch.device
    precision: Precision
    scores: dict[str, Any]  # the final ones


def finish(path: Path, config: TrainConfig[Any], suite: TaskSuite, outcome: Outcome, log: RunLog) -> dict[str, Any]:
    """Write ``result.json`` and log the outcome; return what the file holds, and the run's ``path``."""
    progress, spent = outcome.progress, outcome.spent
    result = {
        "suite": suite.name,
        "agent": config.agent,
        "seed": config.seed,
        "steps_per_task": progress.step,
        "env_steps": progress.env_steps,
        "updates": progress.updates,
        "wall_seconds": round(spent.wall, 2),
        **({} if spent.cpu is None else {"cpu_seconds": round(spent.cpu, 2)}),
        "parameters": outcome.parameters,
        "device": str(outcome.device),
        "precision": dataclasses.asdict(outcome.precision),
        **({"stopped": True} if progress.step < config.steps_per_task else {}),
        **outcome.scores,
    }
    log.scalars(progress.step, final_metrics(result))
    try:
        log.check()
    except OSError as error:
        raise RunError(f"{error}; free some space and resume the run, which only has to be scored") from None
    log.result(progress.step, result)
    measure, curves = task_curves(path / METRICS, suite.task_names)
    log.image(progress.step, "viz/curves", learning_curves(curves_by_group(curves, groups_of(suite)), measure))
    write_result(path, result)
    return {**result, "path": str(path)}


def save_weights(weights: dict[str, Tensor], path: Path, step: int) -> None:
    """Write weights by name, trained for ``step`` steps per task, into a run folder as safetensors.

    Raises ``RunError`` where they cannot be written.
    """
    try:
        with replacing(path / WEIGHTS) as partial:
            # A copy each: layers may share a weight, which safetensors refuses to write under two names.
            own = {name: weight.detach().contiguous().clone() for name, weight in weights.items()}
            save_arrays(own, partial, {STEPS: str(step)})
    except OSError as error:
        raise RunError(f"the run's weights cannot be written ({os_reason(error)})") from None


def resumption(resumed: Resumed | None) -> dict[str, Any]:
    """Return what ``config.json`` records about this and earlier resumptions of a run."""
    if resumed is None:
        return {}
    earlier = read_values(resumed.path / CONFIG).get("resumed")
    now = {"step": resumed.checkpoint.step, "dropped_episodes": dropped_episodes(resumed.checkpoint)}
    return {"resumed": [*(earlier if isinstance(earlier, list) else []), now]}


def dropped_episodes(checkpoint: Checkpoint) -> int:
    """Return how many running episodes are dropped, since other people's environments cannot be saved."""
    return broken_off(checkpoint.state["training"]["env"])


def suite_facts(config: TrainConfig[Any], suite: TaskSuite) -> dict[str, Any]:
    """Return what ``config.json`` records about the suite: its source, and each task's sentence by name."""
    return {
        "suite_source": origin_of(config.suite),
        "task_sentences": dict(zip(suite.task_names, suite.descriptions, strict=True)),
    }


def log_of(
    config: TrainConfig[Any], suite: TaskSuite, path: Path, console: Console, before: Checkpoint | None = None
) -> RunLog:
    """Open a run's log, which also feeds the run's tracker, if any; ``before`` is the checkpoint of a resumed run."""
    trackers = trackers_of(config, suite.name, path, console)
    resumed, step = (before.state["log"], before.step) if before else (None, 0)
    return RunLog(path, trackers, resumed, step, groups_of(suite))


def describe(log: RunLog, config: TrainConfig[Any], path: Path) -> None:
    """Log the configuration: as text, and as a row of the table of hyperparameters."""
    log.text("config", as_markdown(config))
    for summary in hyperparameters(config, path):
        log.summary(summary)


def as_markdown(config: TrainConfig[Any]) -> str:
    """Return the configuration as a table for TensorBoard's text tab."""
    rows = [f"| {name} | {value} |" for name, value in params_of(config).items()]
    return "\n".join(["| setting | value |", "| --- | --- |", *rows])
