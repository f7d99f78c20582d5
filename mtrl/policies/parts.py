"""The parts of an evaluation: trained, paraphrased and held-out tasks, each with its policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envs.errors import nearest
from envs.suite import HELD_OUT, PARAPHRASED, TaskSuite
from mtrl.config import TrainConfig
from mtrl.errors import UsageError
from mtrl.policies.held_out import policy_for_new
from mtrl.policies.paraphrased import policy_for_paraphrases
from mtrl.policies.trained import policy_of
from mtrl.scoring.scores import Policy


@dataclass(frozen=True)
class TaskPart:
    """Tasks that are played and reported together: trained, paraphrased or held-out ones, some or all of ``whole``."""

    suite: TaskSuite
    whole: TaskSuite
    policy: Policy
    kind: str = ""  # HELD_OUT, PARAPHRASED, or empty for trained ones

    @property
    def suffix(self) -> str:
        """The suffix of its files' names."""
        return f"-{self.kind}" if self.kind else ""


def parts_of(
    run: Path, tasks: Sequence[str], config: TrainConfig[Any], suite: TaskSuite, facts: dict[str, Any]
) -> list[TaskPart]:
    """Select the tasks to play, and load a policy for each part, before anything is played.

    Empty ``tasks`` stand for all trained tasks, ``HELD_OUT`` for all held-out ones, and ``PARAPHRASED`` for all trained
    tasks with a paraphrase, described by it. Raises ``UsageError`` for an unknown one.
    """
    requested = tasks or suite.task_names
    unseen = suite.held_out_suite() if suite.held_out or HELD_OUT in requested else None
    paraphrased = suite.paraphrased() if PARAPHRASED in requested else None
    new_names = unseen.task_names if unseen else ()
    known = (*suite.task_names, *new_names, *([HELD_OUT] if unseen else []), PARAPHRASED)
    for name in requested:
        if name not in known:
            raise UsageError(
                f"unknown task {name!r}; {str(run)!r} was trained on {', '.join(suite.task_names)}; held out: "
                f"{', '.join(new_names) or 'none'}.{nearest(name, known)}"
            )
    parts, source = [], facts.get("context_source")
    if trained := [name for name in suite.task_names if name in requested]:
        parts.append(TaskPart(suite.only(trained), suite, policy_of(run, config, suite, trained)))
    if paraphrased:
        policy = policy_for_paraphrases(run, config, suite, paraphrased, source)
        parts.append(TaskPart(paraphrased, paraphrased, policy, PARAPHRASED))
    if unseen and (names := [name for name in new_names if name in requested or HELD_OUT in requested]):
        new = unseen.only(names)
        parts.append(TaskPart(new, unseen, policy_for_new(run, config, suite, new, source), HELD_OUT))
    return parts
