"""Score a finished run again on fresh seeds: ``evaluation.json``, and the worth of each encoder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from envs.suite import HELD_OUT, TaskSuite
from mtrl.config import TrainConfig
from mtrl.errors import UsageError, os_reason
from mtrl.policies.parts import TaskPart
from mtrl.runs.atomic import write_text
from mtrl.runs.checksums import add_checksum
from mtrl.runs.origin import has_changed
from mtrl.scoring.ablation import ablation
from mtrl.scoring.final import episodes_of, play
from mtrl.scoring.scores import Policy
from mtrl.training.assemble import device_of, processes_of

EPISODES = 50


def evaluation_of(part: TaskPart, config: TrainConfig[Any], episodes: int | None, seed: int) -> dict[str, Any]:
    """Play ``episodes`` of each task of a part; return the entries of its file.

    None stands for each fixed start once if a task has such, else for ``EPISODES``.
    """
    tasks = part.suite.tasks
    counts = _counts(part.suite, episodes)
    scores = play(config, part.suite, part.policy, counts, seed, device_of(config), **processes_of(config))
    entries: dict[str, Any] = {"suite": part.suite.name, "agent": config.agent, "seed": seed}
    if part.kind:
        entries[part.kind.replace("-", "_")] = True
    if part.kind == HELD_OUT:
        for task in tasks:
            scores["tasks"][task.name]["range"] = next((t for t in task.tags if t in ("inside", "outside")), None)
    return {**entries, **scores}


def ablation_of(
    part: TaskPart, without: list[Policy], config: TrainConfig[Any], episodes: int | None, seed: int
) -> dict[str, Any]:
    """Play a part as ``evaluation_of`` does, with the full policy and those ``without`` one encoder each."""
    counts = _counts(part.suite, episodes)
    return ablation(part.suite, [part.policy, *without], counts, seed, device_of(config), **processes_of(config))


def _counts(suite: TaskSuite, episodes: int | None) -> list[int]:
    return [episodes] * len(suite.tasks) if episodes else episodes_of(suite, EPISODES)


def write_evaluation(path: Path, result: dict[str, Any]) -> None:
    """Write a file of the run. Raises ``UsageError`` if that fails."""
    try:
        write_text(path, json.dumps(result, indent=2, allow_nan=False) + "\n")
        add_checksum(path)
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be written ({os_reason(error)})") from None


def warn_of_changes(config: TrainConfig[Any], suite: TaskSuite, facts: dict[str, Any]) -> None:
    """Warn on stderr if the suite's file or its tasks' descriptions have changed since the run was trained."""
    if has_changed(config.suite, facts):
        sys.stderr.write(
            f"warning: the file of suite {config.suite!r} has changed since the run was trained; its tasks may differ\n"
        )
    sentences = facts.get("task_sentences")
    trained: dict[str, str] = sentences if isinstance(sentences, dict) else {}
    changed = [task.name for task in suite.tasks if trained.get(task.name, task.description) != task.description]
    if changed and config.settings.context is not None and facts.get("context_source") != "none":
        sys.stderr.write(
            f"warning: the sentences of {', '.join(changed)} have changed since the run was trained; its own tasks are "
            "scored with the old ones, which are part of its weights\n"
        )
