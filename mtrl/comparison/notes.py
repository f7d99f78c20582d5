"""Which runs tasks are compared with, and the sentences that belong beside a comparison."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence

from agents.registry.lookup import learned_alone
from agents.registry.settings import SACSettings
from envs.errors import nearest
from mtrl.comparison.measures import NORMALISED, SUCCESS, Measure
from mtrl.comparison.outcomes import MAX_RATIO
from mtrl.config.defaults import baseline_config
from mtrl.config.flags import flags_of
from mtrl.config.renamed import present_names
from mtrl.errors import UsageError
from mtrl.gathering.gather import Gathered
from mtrl.gathering.grouping import MADE_OF, Group, shown

SINGLE = "single-task"


def baseline_of(gathered: Gathered, name: str | None) -> Group | None:
    """Return the group that ``name``, a label or an agent, means; for None single-task's, or None without one.

    Raises ``UsageError`` for a name that no group has, or several have.
    """
    wanted = SINGLE if name is None else name
    labels = [group.label for group in gathered.groups]
    found = [group for group in gathered.groups if group.label == wanted] or [
        group for group in gathered.groups if group.agent == wanted
    ]
    if len(found) > 1:
        several = ", ".join(repr(group.label) for group in found)
        raise UsageError(f"--baseline {wanted!r} is ambiguous: {several}; name one of them")
    if not found and name is not None:
        raise UsageError(
            f"--baseline is {name!r}, which is not among the runs: {', '.join(labels)}.{nearest(name, labels)}"
        )
    return found[0] if found else None


def measure_words(kind: str, measures: Sequence[Measure], base: Group | None) -> str:
    """Return in a sentence what the scores are."""
    others = sum(measure.kind != kind for measure in measures)
    many = "one task that says no success is" if others == 1 else f"{others} tasks that say no success are"
    rest = f"; {many} left out of the means" if others else ""
    if kind == SUCCESS:
        return f"success at any step of the episode, final weights{rest}"
    if kind == NORMALISED and base is not None:
        return f"return of the final weights, normalised: 0 is random actions, 1 is {base.label}"
    return "return of the final weights as it is: no baseline above random actions on every task gives it a scale"


def notes_on(gathered: Gathered, base: Group | None) -> list[str]:
    """Return the sentences: too few seeds, unequal sizes and settings, no baseline."""
    notes = []
    for count, words in ((1, "one seed proves nothing"), (2, "two seeds are too few to tell a difference")):
        if few := [group.label for group in gathered.groups if len(group.runs) == count]:
            have = "has" if len(few) == 1 else "have"
            number = "one" if count == 1 else "two"
            notes.append(f"{words}: {', '.join(few)} {have} only {number}; train more seeds")
    notes += _sizes(gathered.groups)
    notes += _settings(gathered.groups)
    notes += _dropped(gathered.groups)
    if base is None:
        alone = next((group.label for group in gathered.groups if learned_alone(group.agent)), None)
        other = "" if alone is None else f" (--baseline {shlex.quote(alone)} takes what is there)"
        command = single_task_command(gathered)
        notes.append(f"no transfer and no verdicts: there is no single-task run{other}; make one: {command}")
    elif len(gathered.groups) == 1:
        notes.append(f"there is nothing to compare {base.label} with; add runs of another agent")
    return notes


def _sizes(groups: Sequence[Group]) -> list[str]:
    counts = {group.label: int(group.runs[0].result["parameters"]) for group in groups}
    least = min(counts, key=lambda label: counts[label])
    larger = [
        f"{label} {count / counts[least]:.1f}x ({count:,})"
        for label, count in counts.items()
        if count > MAX_RATIO * counts[least]
    ]
    if not larger:
        return []
    return [
        f"unequal sizes, which alone explain much: against {least}'s {counts[least]:,} parameters, {', '.join(larger)}"
    ]


def _settings(groups: Sequence[Group]) -> list[str]:
    """Return a line for each setting that several agents have, and do not have alike, with those that have it.

    What sets apart groups of one agent only is in their labels, and so is what an agent was made of beside its own.
    """
    lines = []
    for name in dict.fromkeys(name for group in groups for name in group.settings if name not in MADE_OF):
        own = [group for group in groups if name in group.settings]
        differ = any(group.settings[name] != own[0].settings[name] for group in own)
        if differ and len({group.agent for group in own}) > 1:
            values = ", ".join(f"{group.label} {shown(group.settings[name])}" for group in own)
            lines.append(f"{name} differs between agents{'' if len(own) == len(groups) else ' that have it'}: {values}")
    return lines


def _dropped(groups: Sequence[Group]) -> list[str]:
    """Return a line for each group whose agent does not support settings that its runs were given."""
    lines = []
    for group in groups:
        asked: dict[str, list[str]] = {}
        for run in group.runs:
            for name, value in present_names(run.facts.get("dropped_settings") or {}, SACSettings).items():
                asked.setdefault(name, []).append(shown(tuple(value) if isinstance(value, list) else value))
        if asked:
            values = ", ".join(f"{name} {' or '.join(dict.fromkeys(own))}" for name, own in asked.items())
            lines.append(f"{group.label} does not support some settings of the others: {values}")
    return lines


def single_task_command(gathered: Gathered) -> str:
    """Return the command that trains single-task on the budget and the seeds of the first group."""
    group = gathered.groups[0]
    config = group.runs[0].config
    plan = baseline_config(dataclasses.replace(config, baseline="single-task"))
    seeds = ",".join(map(str, group.seeds))
    words = ["python", "-m", "mtrl.sweep", "--suite", config.suite, "--agents", SINGLE, "--seeds", seeds]
    words += ["--runs-dir", str(config.runs_dir)]
    flags = flags_of(plan)
    return shlex.join(words + (["--", *flags] if flags else []))
