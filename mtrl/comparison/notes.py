"""Select the baseline of a comparison, and write the notes that accompany it."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence

import numpy as np

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
from mtrl.gathering.grouping import IDENTITY, Group, shown

SINGLE = "single-task"
LARGE = 5.0  # a normalised return of five times what the baseline gains over random actions


def baseline_of(gathered: Gathered, name: str | None) -> Group | None:
    """Return the group with the label or agent ``name``; by default single-task's, or None without one.

    Raises ``UsageError`` for a name that no group has, or several have.
    """
    target = SINGLE if name is None else name
    labels = [group.label for group in gathered.groups]
    found = [group for group in gathered.groups if group.label == target] or [
        group for group in gathered.groups if group.agent == target
    ]
    if len(found) > 1:
        several = ", ".join(repr(group.label) for group in found)
        raise UsageError(f"--baseline {target!r} is ambiguous: {several}; name one of them")
    if not found and name is not None:
        raise UsageError(
            f"--baseline is {name!r}, which is not among the runs: {', '.join(labels)}.{nearest(name, labels)}"
        )
    return found[0] if found else None


def measure_words(kind: str, measures: Sequence[Measure], base: Group | None) -> str:
    """Describe the scores in a sentence."""
    others = sum(measure.kind != kind for measure in measures)
    many = "one task without success is" if others == 1 else f"{others} tasks without success are"
    rest = f"; {many} left out of the means" if others else ""
    if kind == SUCCESS:
        return f"success at any step of the episode, final weights{rest}"
    if kind == NORMALISED and base is not None:
        return f"return of the final weights, normalised: 0 is random actions, 1 is {base.label}"
    return "return of the final weights, not normalised: no baseline is above random actions on every task"


def notes_on(gathered: Gathered, base: Group | None, measures: Sequence[Measure]) -> list[str]:
    """Return the notes: too few seeds, unequal evaluations, scales, sizes and settings, no baseline."""
    notes = []
    for count, words in ((1, "one seed proves nothing"), (2, "two seeds are too few to show a difference")):
        if few := [group.label for group in gathered.groups if len(group.runs) == count]:
            have = "has" if len(few) == 1 else "have"
            number = "one" if count == 1 else "two"
            notes.append(f"{words}: {', '.join(few)} {have} only {number}; train more seeds")
    if (every := gathered.common_eval_every) is not None:
        apart = f"those every {every:,} steps and the last" if every < gathered.steps_per_task else "the last"
        notes.append(f"runs were not evaluated equally often: of their evaluations, only {apart} count")
    notes += _scales(gathered.groups, base, measures)
    notes += _sizes(gathered.groups)
    notes += _settings(gathered.groups)
    notes += _dropped(gathered.groups)
    if base is None:
        alone = next((group.label for group in gathered.groups if learned_alone(group.agent)), None)
        other = "" if alone is None else f" (or use --baseline {shlex.quote(alone)})"
        command = single_task_command(gathered)
        notes.append(f"no transfer and no verdicts: there is no single-task run{other}; train one: {command}")
    elif len(gathered.groups) == 1:
        notes.append(f"there is nothing to compare {base.label} with; add runs of another agent")
    return notes


def _scales(groups: Sequence[Group], base: Group | None, measures: Sequence[Measure]) -> list[str]:
    """Return a line for each task whose normalised returns are large because the baseline gains little on it."""
    lines = []
    for measure in measures:
        if base is None or measure.kind != NORMALISED:
            continue
        means = {group.label: float(np.mean([measure.final(run) for run in group.runs])) for group in groups}
        label = max(means, key=lambda name: abs(means[name]))
        if abs(means[label]) > LARGE:
            lines.append(
                f"on {measure.task}, {base.label} gains little over random actions (return "
                f"{measure.zero + measure.span:.4g} against {measure.zero:.4g}), so normalised returns there are large "
                f"({label} {means[label]:.1f}) and weigh most in means over tasks"
            )
    return lines


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
        f"sizes differ, which can explain much: against {least}'s {counts[least]:,} parameters, {', '.join(larger)}"
    ]


def _settings(groups: Sequence[Group]) -> list[str]:
    """Return a line for each setting that differs between agents, with its value in each group that has it.

    Settings that only differ between groups of one agent are in their labels, as are exchanged pieces.
    """
    lines = []
    for name in dict.fromkeys(name for group in groups for name in group.settings if name not in IDENTITY):
        own = [group for group in groups if name in group.settings]
        differ = any(group.settings[name] != own[0].settings[name] for group in own)
        if differ and len({group.agent for group in own}) > 1:
            values = ", ".join(f"{group.label} {shown(group.settings[name])}" for group in own)
            lines.append(f"{name} differs between agents{'' if len(own) == len(groups) else ' that have it'}: {values}")
    return lines


def _dropped(groups: Sequence[Group]) -> list[str]:
    """Return a line for each group whose agent does not support some settings passed to its runs."""
    lines = []
    for group in groups:
        dropped: dict[str, list[str]] = {}
        for run in group.runs:
            for name, value in present_names(run.facts.get("dropped_settings") or {}, SACSettings).items():
                dropped.setdefault(name, []).append(shown(tuple(value) if isinstance(value, list) else value))
        if dropped:
            values = ", ".join(f"{name} {' or '.join(dict.fromkeys(own))}" for name, own in dropped.items())
            lines.append(f"{group.label} does not support some settings of the others: {values}")
    return lines


def single_task_command(gathered: Gathered) -> str:
    """Return the command that trains single-task with the budget and the seeds of the first group."""
    group = gathered.groups[0]
    config = group.runs[0].config
    plan = baseline_config(dataclasses.replace(config, baseline="single-task"))
    seeds = ",".join(map(str, group.seeds))
    words = ["python", "-m", "mtrl.sweep", "--suite", config.suite, "--agents", SINGLE, "--seeds", seeds]
    words += ["--runs-dir", str(config.runs_dir)]
    flags = flags_of(plan)
    return shlex.join(words + (["--", *flags] if flags else []))
