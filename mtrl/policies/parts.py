"""What of a run is played: tasks that it was trained on, and tasks that are new to it."""

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
from mtrl.policies.paraphrased import policy_in_other_words
from mtrl.policies.trained import policy_of
from mtrl.scoring.scores import Policy


@dataclass(frozen=True)
class Part:
    """Tasks that are played and reported together: trained ones, those told in other words, or held-out ones."""

    suite: TaskSuite
    policy: Policy
    kind: str = ""  # HELD_OUT, PARAPHRASED, or empty for trained ones

    @property
    def suffix(self) -> str:
        """What its files have in their names."""
        return f"-{self.kind}" if self.kind else ""


def parts_of(
    run: Path, tasks: Sequence[str], config: TrainConfig[Any], suite: TaskSuite, facts: dict[str, Any]
) -> list[Part]:
    """Select the tasks to play, and load a policy for each part of them, before anything is played.

    No ``tasks`` stand for all that were trained, ``HELD_OUT`` for all that were not, and ``PARAPHRASED`` for those that
    were, told by their paraphrase. Raises ``UsageError`` for an unknown one.
    """
    asked = tasks or suite.task_names
    unseen = suite.unseen() if suite.held_out or HELD_OUT in asked else None
    reworded = suite.paraphrased() if PARAPHRASED in asked else None
    new_names = unseen.task_names if unseen else ()
    known = (*suite.task_names, *new_names, *([HELD_OUT] if unseen else []), PARAPHRASED)
    for name in asked:
        if name not in known:
            raise UsageError(
                f"unknown task {name!r}; {str(run)!r} was trained on {', '.join(suite.task_names)}; held out: "
                f"{', '.join(new_names) or 'none'}.{nearest(name, known)}"
            )
    parts, source = [], facts.get("context_source")
    if trained := [name for name in suite.task_names if name in asked]:
        parts.append(Part(suite.only(trained), policy_of(run, config, suite, trained)))
    if reworded:
        policy = policy_in_other_words(run, config, suite, reworded, source)
        parts.append(Part(reworded, policy, PARAPHRASED))
    if unseen and (names := [name for name in new_names if name in asked or HELD_OUT in asked]):
        new = unseen.only(names)
        parts.append(Part(new, policy_for_new(run, config, suite, new, source), HELD_OUT))
    return parts
