"""From a comparison to a page: everything that the templates show, already in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mtrl.comparison.gather import Gathered
from mtrl.comparison.measures import RETURN, SUCCESS
from mtrl.comparison.outcomes import (
    BETTER,
    HELPED,
    HURT,
    ONE_SEED,
    SAME,
    THRESHOLDS,
    WORSE,
    AgentSummary,
    Band,
    Comparison,
    Reached,
    TaskEffect,
)
from mtrl.comparison.statistics import Estimate
from mtrl.reporting.charts import Line, curve_chart
from mtrl.reporting.headline import Answer, answers, number, sharing_agents, with_interval
from mtrl.reporting.insight_page import Insight, insights
from mtrl.reporting.protocol import protocol_of
from mtrl.version import __version__

SMALL = (2.9, 1.7)  # inches of a task's chart
DASH_ARRAYS = ("", "5 2", "1 1.5", "6 2 1 2")  # as the charts' dashes
# What colours a verdict, and the mark that stands for it.
MARKS = {
    HELPED: ("helped", "▲"),
    BETTER: ("helped", "▲"),
    HURT: ("hurt", "▼"),
    WORSE: ("hurt", "▼"),
    SAME: ("same", "="),
    ONE_SEED: ("same", "?"),
}


@dataclass(frozen=True)
class Interval:
    """A number, its interval, and how both are written."""

    value: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class AgentRow:
    """A line of the table of agents."""

    name: str
    iqm: Interval
    mean: str
    auc: str
    worst: str
    steps: tuple[str, ...]
    parameters: str
    seeds: str
    work: str


@dataclass(frozen=True)
class Verdict:
    """What sharing was worth on a task: a word for its colour, a mark, words, and the transfer as written."""

    kind: str
    mark: str
    words: str
    transfer: str
    score: str
    gap: Interval
    fill: float | None  # share of a bar, of scores that lie in [0, 1]


@dataclass(frozen=True)
class TaskRow:
    """A task: its sentence, chart, baseline's score, and what each agent that shares came to."""

    name: str
    sentence: str
    curve: Markup
    baseline: str
    fill: float | None
    own: tuple[Verdict, ...]


@dataclass(frozen=True)
class Page:
    """Everything that a report shows."""

    suite: str
    subtitle: str
    measure: str
    measure_words: str
    answers: list[Answer]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    keys: dict[str, Markup]
    agents: list[AgentRow]
    low: float
    high: float
    thresholds: tuple[str, ...]
    pairs: list[tuple[str, str, Interval]]
    baseline: str | None
    sharing: list[str]
    judged: str
    reach: float
    tasks: list[TaskRow]
    curve: Markup
    insights: list[Insight]
    protocol: list[tuple[str, str]]
    runs: list[tuple[str, str]]
    version: str


def page_of(gathered: Gathered, comparison: Comparison) -> Page:
    """Put a comparison of gathered runs into a page's words, tables and charts."""
    labels = [one.label for one in comparison.agents]
    series = {label: k for k, label in enumerate(labels)}
    ends = [end for one in comparison.agents for end in (one.iqm.low, one.iqm.value, one.iqm.high) if end is not None]
    low, high = (min(ends), max(ends)) if comparison.measure == RETURN else (min(0.0, *ends), max(1.0, *ends))
    sharing = sharing_agents(comparison)
    effects = [effect for effect in comparison.effects if effect.agent in sharing]
    return Page(
        suite=comparison.suite,
        subtitle=f"{len(comparison.tasks)} tasks, {comparison.steps_per_task:,} steps per task, "
        f"{len(gathered.runs)} runs of {len(labels)} agents",
        measure=comparison.measure,
        measure_words=comparison.measure_words,
        answers=answers(comparison),
        warnings=comparison.warnings,
        notes=comparison.notes,
        keys={label: _key(label, series[label]) for label in labels},
        agents=[_agent_row(one, comparison.measure) for one in comparison.agents],
        low=low,
        high=high if high > low else low + 1.0,
        thresholds=tuple(f"{threshold:g}".lstrip("0") for threshold in THRESHOLDS) if _any_reached(comparison) else (),
        pairs=[(pair.first, pair.second, _interval(pair.probability, SUCCESS)) for pair in comparison.pairs],
        baseline=comparison.baseline,
        sharing=sharing,
        judged=effects[0].judged_by if effects else "",
        reach=max([1e-9, *(abs(end) for e in effects for end in (_judged(e).low, _judged(e).high))]),
        tasks=[_task_row(task, gathered, comparison, series, sharing) for task in comparison.tasks],
        curve=_chart(comparison, None, series, f"{comparison.measure}, mean over tasks"),
        insights=insights(gathered),
        protocol=protocol_of(gathered, comparison),
        runs=[(str(run.path), str(run.facts.get("command", "not known"))) for run in gathered.runs],
        version=__version__,
    )


def render(page: Page, template: str) -> str:
    """Fill a template with a page; in HTML whatever a user named is escaped."""
    environment = Environment(
        loader=PackageLoader("mtrl.reporting"),
        autoescape=template.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = markdown_cell
    return environment.get_template(template).render(page=page)


def markdown_cell(value: object) -> str:
    """Write user input into a cell of a Markdown table: on one line, and nothing in it means anything to Markdown."""
    text = " ".join(str(value).split())
    for mark in "\\`*_[]|~#!":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _key(label: str, series: int) -> Markup:
    """An agent's name with a sample of its line."""
    dash = DASH_ARRAYS[series % len(DASH_ARRAYS)]
    line = f'<line x1="0" y1="4" x2="28" y2="4" stroke="var(--s{series % 8 + 1})" stroke-width="3"'
    line += f' stroke-dasharray="{dash}"/>' if dash else "/>"
    sample = f'<svg viewBox="0 0 28 8" aria-hidden="true">{line}</svg>'
    return Markup(f'<span class="key">{sample}{escape(label)}</span>')


def _interval(estimate: Estimate, measure: str) -> Interval:
    value = estimate.value
    low, high = (value if end is None else end for end in (estimate.low, estimate.high))
    return Interval(value, low, high, with_interval(estimate, measure))


def _agent_row(one: AgentSummary, measure: str) -> AgentRow:
    mark = f" ({one.size_ratio:.1f}x)" if one.larger else ""
    return AgentRow(
        name=one.label,
        iqm=_interval(one.iqm, measure),
        mean=number(one.mean.value, measure),
        auc="-" if one.auc is None else number(one.auc.value, measure),
        worst=f"{one.worst_task} {number(one.worst_score, measure)}",
        steps=tuple(_reached(reached) for reached in one.reached),
        parameters=f"{one.parameters:,}{mark}",
        seeds=", ".join(map(str, one.seeds)),
        work=f"{one.env_steps:,.0f} steps, {one.updates:,.0f} updates, {one.wall_seconds:,.0f} s",
    )


def _reached(reached: Reached) -> str:
    some = f" ({reached.seeds} of {reached.of})" if 0 < reached.seeds < reached.of else ""
    return f"{'not' if reached.steps is None else f'{reached.steps:,}'}{some}"


def _any_reached(comparison: Comparison) -> bool:
    return any(one.reached for one in comparison.agents)


def _judged(effect: TaskEffect) -> Interval:
    """The difference by which an effect is judged."""
    gap = effect.area or effect.final
    return _interval(Estimate(gap.value, gap.low, gap.high), effect.measure)


def _task_row(
    task: str, gathered: Gathered, comparison: Comparison, series: dict[str, int], sharing: Sequence[str]
) -> TaskRow:
    effects = {effect.agent: effect for effect in comparison.effects if effect.task == task}
    own = tuple(_verdict(effects[label]) for label in sharing)
    first = next(iter(effects.values()), None)
    sentences: Any = gathered.runs[0].facts.get("task_sentences") or {}
    return TaskRow(
        name=task,
        sentence=str(sentences.get(task, "")),
        curve=_chart(comparison, task, series, f"{task} over environment steps", SMALL),
        baseline="-" if first is None else number(first.baseline_score, first.measure),
        fill=None if first is None else _share(first.baseline_score, first.measure),
        own=own,
    )


def _verdict(effect: TaskEffect) -> Verdict:
    kind, mark = MARKS[effect.verdict]
    transfer = "-" if effect.transfer is None else f"{effect.transfer.value:+.2f}"
    score, fill = number(effect.score, effect.measure), _share(effect.score, effect.measure)
    return Verdict(kind, mark, effect.verdict, transfer, score, _judged(effect), fill)


def _share(score: float, measure: str) -> float | None:
    return None if measure == RETURN else min(max(score, 0.0), 1.0)


def _chart(
    comparison: Comparison,
    task: str | None,
    series: dict[str, int],
    label: str,
    size: tuple[float, float] = (4.4, 2.7),
) -> Markup:
    bands = [band for band in comparison.bands if band.task == task]
    if not bands:
        return Markup("<p>No evaluations were written.</p>")
    share = bands[0].measure == SUCCESS
    lines = [_line(band, series[band.agent]) for band in bands]
    axis = "environment steps per task" if task is None else ""
    return Markup(curve_chart(lines, label, share, size, axis))


def _line(band: Band, series: int) -> Line:
    low, high = (None if end is None else np.array(end) for end in (band.low, band.high))
    return Line(series, np.array(band.steps, dtype=np.float64), np.array(band.mean), low, high)
