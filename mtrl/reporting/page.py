"""Convert a comparison to a page: everything that the templates show, as text and numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

from markupsafe import Markup

from mtrl.comparison.by_group import compare_groups, groups_of_runs
from mtrl.comparison.cost import clock_of, front_in_words
from mtrl.comparison.measures import RETURN, SUCCESS
from mtrl.comparison.outcomes import (
    THRESHOLDS,
    Comparison,
)
from mtrl.gathering.gather import Gathered
from mtrl.reporting.cost_figures import CLOCKS, CostFigure, cost_figures
from mtrl.reporting.headline import Answer, answers, leads_with_area, sharing_agents
from mtrl.reporting.insight_page import Insight, insights
from mtrl.reporting.protocol import protocol_of
from mtrl.reporting.rows import AgentRow, GroupRows, Interval, TaskRow, agent_row, chart, interval, task_row
from mtrl.reporting.sizes import size_matched
from mtrl.scoring.many_tasks import Groups
from mtrl.version import __version__

AREA, FINAL = "area under the curve", "final score"
IQM = f"{FINAL}, interquartile mean"
DASH_ARRAYS = ("", "5 2", "1 1.5", "6 2 1 2")  # as the charts' dashes


@dataclass(frozen=True)
class Page:
    """Everything that a report shows. With ``groups``, tables and curves show groups first."""

    suite: str
    subtitle: str
    measure: str
    measure_words: str
    answers: list[Answer]
    sizes: list[str]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    keys: dict[str, Markup]
    agents: list[AgentRow]
    clock: str
    clock_words: str
    front: str
    costs: list[CostFigure]
    lead: str
    other: str
    mean: str
    low: float
    high: float
    thresholds: tuple[str, ...]
    pairs: list[tuple[str, str, Interval]]
    baseline: str | None
    sharing: list[str]
    judged: str
    worth: str
    reach: float
    tasks: list[TaskRow]
    groups: list[GroupRows]
    curve: Markup
    insights: list[Insight]
    protocol: list[tuple[str, str]]
    runs: list[tuple[str, str]]
    version: str
    command: str


def counted(number: int, what: str) -> str:
    """Format a count with its noun."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def page_of(gathered: Gathered, comparison: Comparison, command: str) -> Page:
    """Convert a comparison of gathered runs to a page's text, tables and charts; ``command`` is the one that ran."""
    labels = [one.label for one in comparison.agents]
    series = {label: k for k, label in enumerate(labels)}
    by_area = leads_with_area(comparison)
    clock = clock_of(comparison)
    agents = [agent_row(one, comparison.measure, by_area, clock) for one in comparison.agents]
    lead, other = (AREA, IQM) if by_area else (IQM, AREA)
    ends = [end for one in agents for end in (one.lead.low, one.lead.high)]
    low, high = (min(ends), max(ends)) if comparison.measure == RETURN else (min(0.0, *ends), max(1.0, *ends))
    sharing = sharing_agents(comparison)
    effects = [effect for effect in comparison.effects if effect.agent in sharing]
    groups = groups_of_runs(gathered)
    tasks = [task_row(task, gathered, comparison, series, sharing) for task in comparison.tasks]
    by_group = _group_rows(gathered, comparison, groups, tasks, series)
    groups = groups if by_group else {}  # either the whole page shows groups, or none of it
    rows = [*tasks, *(group.mean for group in by_group)]
    judged_by = AREA if effects and effects[0].judged_by == "area" else FINAL
    return Page(
        suite=comparison.suite,
        subtitle=f"{len(comparison.tasks)} tasks, {comparison.steps_per_task:,} steps per task, "
        f"{counted(len(gathered.runs), 'run')} of {counted(len(labels), 'agent')}",
        measure=comparison.measure,
        measure_words=comparison.measure_words,
        answers=answers(comparison),
        sizes=size_matched(comparison),
        warnings=comparison.warnings,
        notes=comparison.notes,
        keys={label: _key(label, series[label]) for label in labels},
        agents=agents,
        clock=clock,
        clock_words=CLOCKS[clock],
        front=front_in_words(comparison),
        costs=cost_figures(comparison, series),
        lead=lead,
        other=other,
        mean=f"{FINAL}, mean",
        low=low,
        high=high if high > low else low + 1.0,
        thresholds=tuple(f"{threshold:g}".lstrip("0") for threshold in THRESHOLDS)
        if any(one.reached for one in comparison.agents)
        else (),
        pairs=[(pair.first, pair.second, interval(pair.probability, SUCCESS)) for pair in comparison.pairs],
        baseline=comparison.baseline,
        sharing=sharing,
        judged=judged_by,
        worth="transfer" if any(effect.transfer for effect in effects) else f"difference in {judged_by}",
        reach=max([1e-9, *(abs(end) for row in rows for own in row.own for end in (own.gap.low, own.gap.high))]),
        tasks=tasks,
        groups=by_group,
        curve=chart(comparison, None, series, f"{comparison.measure}, mean over tasks"),
        insights=insights(gathered, groups),
        protocol=protocol_of(gathered, comparison, groups),
        runs=[(str(run.path), str(run.facts.get("command", "not known"))) for run in gathered.runs],
        version=__version__,
        command=command,
    )


def _group_rows(
    gathered: Gathered, comparison: Comparison, groups: Groups, tasks: list[TaskRow], series: dict[str, int]
) -> list[GroupRows]:
    """Return the rows of groups of many tasks; empty if tasks are shown one by one."""
    found = compare_groups(gathered, comparison, groups) if groups else None
    if found is None:
        return []
    rows, sharing = {task.name: task for task in tasks}, sharing_agents(comparison)
    means = {group: task_row(group, gathered, found, series, sharing) for group in groups}
    return [
        GroupRows(replace(means[group], sentence=f"mean over {len(names)} tasks"), [rows[name] for name in names])
        for group, names in groups.items()
    ]


def _key(label: str, series: int) -> Markup:
    """Return an agent's name with a sample of its line."""
    dash = DASH_ARRAYS[series % len(DASH_ARRAYS)]
    line = f'<line x1="0" y1="4" x2="28" y2="4" stroke="var(--s{series % 8 + 1})" stroke-width="3"'
    line += f' stroke-dasharray="{dash}"/>' if dash else "/>"
    sample = f'<svg viewBox="0 0 28 8" aria-hidden="true">{line}</svg>'
    return Markup(f'<span class="key">{sample}{escape(label)}</span>')
