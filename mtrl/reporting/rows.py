"""The rows of a report's tables: formatted numbers of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from mtrl.comparison.cost import seconds_of
from mtrl.comparison.measures import RETURN, SUCCESS
from mtrl.comparison.outcomes import (
    BETTER,
    FEW_SEEDS,
    HELPED,
    HURT,
    ONE_SEED,
    SAME,
    WORSE,
    AgentSummary,
    Band,
    Comparison,
    Reached,
    TaskEffect,
)
from mtrl.comparison.statistics import Estimate
from mtrl.gathering.gather import Gathered
from mtrl.reporting.charts import CurveLine, curve_chart
from mtrl.reporting.headline import number, with_interval

SMALL = (2.9, 1.7)  # inches of a task's chart
# A verdict's colour class and mark.
MARKS = {
    HELPED: ("helped", "▲"),
    BETTER: ("helped", "▲"),
    HURT: ("hurt", "▼"),
    WORSE: ("hurt", "▼"),
    SAME: ("same", "="),
    FEW_SEEDS: ("same", "?"),
    ONE_SEED: ("same", "?"),
}


@dataclass(frozen=True)
class Interval:
    """A number, its interval, and the text for both."""

    value: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class AgentRow:
    """A row of the tables of agents; ``lead`` is the area under the curve or the final score, ``other`` the other."""

    name: str
    lead: Interval
    other: str
    mean: str
    worst: str
    steps: tuple[str, ...]
    seeds: str
    parameters: str
    env_steps: str
    updates: str
    seconds: str


@dataclass(frozen=True)
class Verdict:
    """The verdict on sharing for a task: its colour class, mark and words, and the transfer as text.

    ``worth`` is the transfer, or the difference by which the task is judged if there is none.
    """

    kind: str
    mark: str
    words: str
    transfer: str
    worth: str
    score: str
    gap: Interval
    fill: float | None  # share of a bar, of scores that lie in [0, 1]


@dataclass(frozen=True)
class TaskRow:
    """A task: its sentence, chart, baseline's score, and the verdict on each agent that shares."""

    name: str
    sentence: str
    curve: Markup
    baseline: str
    fill: float | None
    own: tuple[Verdict, ...]


@dataclass(frozen=True)
class GroupRows:
    """A group of many tasks: the row of means over its tasks, and their rows."""

    mean: TaskRow
    tasks: list[TaskRow]


def interval(estimate: Estimate, measure: str, signed: bool = False) -> Interval:
    """Format a number with its interval; without one, both ends are the number. A difference is ``signed``."""
    value = estimate.value
    low, high = (value if end is None else end for end in (estimate.low, estimate.high))
    return Interval(value, low, high, with_interval(estimate, measure, signed))


def agent_row(one: AgentSummary, measure: str, by_area: bool, clock: str) -> AgentRow:
    """Return an agent's row, with the area under the curve or the final score first, and its time by ``clock``."""
    mark = f" ({one.size_ratio:.1f}x)" if one.larger else ""
    lead, other = (one.auc, one.iqm) if by_area and one.auc is not None else (one.iqm, one.auc)
    return AgentRow(
        name=one.label,
        lead=interval(lead, measure),
        other="-" if other is None else with_interval(other, measure),
        mean=number(one.mean.value, measure),
        worst=f"{one.worst_task} {number(one.worst_score, measure)}",
        steps=tuple(_reached(reached) for reached in one.reached),
        seeds=str(len(one.seeds)),
        parameters=f"{one.parameters:,}{mark}",
        env_steps=f"{one.env_steps:,.0f}",
        updates=f"{one.updates:,.0f}",
        seconds=f"{seconds_of(one, clock):,.0f}",
    )


def _reached(reached: Reached) -> str:
    some = f" ({reached.seeds} of {reached.of})" if 0 < reached.seeds < reached.of else ""
    return f"{'not' if reached.steps is None else f'{reached.steps:,}'}{some}"


def judged(effect: TaskEffect) -> Interval:
    """Return the difference by which an effect is judged."""
    gap = effect.area or effect.final
    return interval(Estimate(gap.value, gap.low, gap.high), effect.measure, signed=True)


def task_row(
    task: str, gathered: Gathered, comparison: Comparison, series: dict[str, int], sharing: Sequence[str]
) -> TaskRow:
    """Return a task's row: learned alone, and by each of the agents that share."""
    effects = {effect.agent: effect for effect in comparison.effects if effect.task == task}
    transfers = any(effect.transfer for effect in comparison.effects)
    own = tuple(_verdict(effects[label], transfers) for label in sharing)
    first = next(iter(effects.values()), None)
    sentences: Any = gathered.runs[0].facts.get("task_sentences") or {}
    return TaskRow(
        name=task,
        sentence=str(sentences.get(task, "")),
        curve=chart(comparison, task, series, f"{task} over environment steps", SMALL),
        baseline="-" if first is None else number(first.baseline_score, first.measure),
        fill=None if first is None else _share(first.baseline_score, first.measure),
        own=own,
    )


def _verdict(effect: TaskEffect, transfers: bool) -> Verdict:
    """Return a verdict with its transfer or, if no task has one, its difference."""
    kind, mark = MARKS[effect.verdict]
    transfer = "-" if effect.transfer is None else f"{effect.transfer.value:+.2f}"
    gap = judged(effect)
    worth = transfer if transfers else gap.text
    score, fill = number(effect.score, effect.measure), _share(effect.score, effect.measure)
    return Verdict(kind, mark, effect.verdict, transfer, worth, score, gap, fill)


def _share(score: float, measure: str) -> float | None:
    return None if measure == RETURN else min(max(score, 0.0), 1.0)


def chart(
    comparison: Comparison,
    task: str | None,
    series: dict[str, int],
    label: str,
    size: tuple[float, float] = (4.4, 2.7),
) -> Markup:
    """Draw all agents' curves of a task, or (for None) of the mean over tasks."""
    bands = [band for band in comparison.bands if band.task == task]
    if not bands:
        return Markup("<p>There are no evaluations.</p>")
    share = bands[0].measure == SUCCESS
    lines = [_line(band, series[band.agent]) for band in bands]
    axis = "environment steps per task" if task is None else ""
    return Markup(curve_chart(lines, label, share, size, axis))


def _line(band: Band, series: int) -> CurveLine:
    low, high = (None if end is None else np.array(end) for end in (band.low, band.high))
    return CurveLine(series, np.array(band.steps, dtype=np.float64), np.array(band.mean), low, high)
