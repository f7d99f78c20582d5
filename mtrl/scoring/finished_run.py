"""A finished run is scored again, on fresh seeds: ``evaluation.json``, and what each encoder is worth."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from envs.suite import HELD_OUT, TaskSuite
from mtrl.config import TrainConfig
from mtrl.errors import UsageError
from mtrl.policies.parts import Part
from mtrl.runs.atomic import write_text
from mtrl.runs.checksums import add_checksum
from mtrl.scoring.ablation import ablation
from mtrl.scoring.final import episodes_of, play
from mtrl.scoring.scores import Policy
from mtrl.training.assemble import device_of, processes_of

EPISODES = 50


def evaluation_of(part: Part, config: TrainConfig[Any], episodes: int | None, seed: int) -> dict[str, Any]:
    """Play ``episodes`` of each task of a part -> what its file holds.

    None stands for each start once where a task has fixed ones, else for ``EPISODES``.
    """
    tasks = part.suite.tasks
    counts = _counts(part.suite, episodes)
    scores = play(config, part.suite, part.policy, counts, seed, device_of(config), **processes_of(config))
    told: dict[str, Any] = {"suite": part.suite.name, "agent": config.agent, "seed": seed}
    if part.kind:
        told[part.kind.replace("-", "_")] = True
    if part.kind == HELD_OUT:
        for task in tasks:
            scores["tasks"][task.name]["range"] = next((t for t in task.tags if t in ("inside", "outside")), None)
    return {**told, **scores}


def ablation_of(
    part: Part, without: list[Policy], config: TrainConfig[Any], episodes: int | None, seed: int
) -> dict[str, Any]:
    """Play a part as ``evaluation_of`` does, whole and with the policies ``without`` an encoder each -> their worth."""
    counts = _counts(part.suite, episodes)
    return ablation(part.suite, [part.policy, *without], counts, seed, device_of(config), **processes_of(config))


def _counts(suite: TaskSuite, episodes: int | None) -> list[int]:
    return [episodes] * len(suite.tasks) if episodes else episodes_of(suite, EPISODES)


def write_evaluation(path: Path, result: dict[str, Any]) -> None:
    """Write a file of the run. Raises ``UsageError`` where it cannot be written."""
    try:
        write_text(path, json.dumps(result, indent=2, allow_nan=False) + "\n")
        add_checksum(path)
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be written ({error.strerror or error})") from None


def warn_of_changed_sentences(config: TrainConfig[Any], suite: TaskSuite, facts: dict[str, Any]) -> None:
    """Say on stderr which tasks are described in other words than those that a run's agent reads."""
    told = facts.get("task_sentences")
    trained: dict[str, str] = told if isinstance(told, dict) else {}
    changed = [task.name for task in suite.tasks if trained.get(task.name, task.description) != task.description]
    if changed and config.settings.context is not None and facts.get("context_source") != "none":
        sys.stderr.write(
            f"warning: the sentences of {', '.join(changed)} have changed since the run was trained; its weights hold "
            "the old ones, which its own tasks are scored with\n"
        )
