"""Tables of a comparison for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from mtrl.comparison.cost import PROCESSOR, clock_of, front_in_words, seconds_of
from mtrl.comparison.measures import RETURN
from mtrl.comparison.outcomes import (
    FEW_SEEDS,
    JUDGED,
    ONE_SEED,
    SAME,
    AgentSummary,
    Comparison,
    Gap,
    Reached,
    TaskEffect,
)
from mtrl.comparison.statistics import Estimate

SHORT_VERDICTS = {SAME: "no difference", FEW_SEEDS: "two seeds", ONE_SEED: "one seed"}


def tables_of(comparison: Comparison) -> Iterator[Table]:
    """Yield the tables in reading order: scores, speed, cost, tasks, pairs, and each agent against the baseline."""
    yield scores_table(comparison)
    yield speed_table(comparison)
    yield cost_table(comparison)
    yield task_table(comparison)
    if comparison.pairs:
        yield pair_table(comparison)
    for overall in comparison.overall:
        yield effect_table(comparison, overall)


def scores_table(comparison: Comparison) -> Table:
    """Return the agents' final scores."""
    title = f"{comparison.suite}: {comparison.measure} after {comparison.steps_per_task:,} steps per task"
    table = _table(title, "agent", ">seeds", ">IQM", ">95 %", ">mean", "worst task", ">its score")
    for one in comparison.agents:
        table.add_row(
            escape(one.label),
            str(len(one.seeds)),
            _number(one.iqm.value, comparison.measure),
            _interval(one.iqm, comparison.measure),
            _number(one.mean.value, comparison.measure),
            escape(one.worst_task),
            _number(one.worst_score, comparison.measure),
        )
    table.caption = f"{comparison.measure_words}; IQM: interquartile mean over seeds and tasks"
    return table


def speed_table(comparison: Comparison) -> Table:
    """Return how fast the agents learned."""
    thresholds = [f">to {mark.threshold:g}" for mark in next((a.reached for a in comparison.agents if a.reached), ())]
    table = _table("speed, in steps per task", "agent", ">area", ">95 %", *thresholds)
    for one in comparison.agents:
        area = one.auc
        table.add_row(
            escape(one.label),
            "-" if area is None else _number(area.value, comparison.measure),
            "-" if area is None else _interval(area, comparison.measure),
            *([_reached(mark) for mark in one.reached] or ["-"] * len(thresholds)),
        )
    table.caption = "area: mean height of the learning curve" + (
        "; to .5: median over seeds (seeds that reached it)" if thresholds else ""
    )
    return table


def cost_table(comparison: Comparison) -> Table:
    """Return the agents' costs; ``!`` marks one that is much larger than the smallest."""
    clock = clock_of(comparison)
    table = _table("cost of a run", "agent", ">env steps", ">updates", ">minutes", ">parameters", ">size")
    for one in comparison.agents:
        table.add_row(
            escape(one.label),
            f"{one.env_steps:,.0f}",
            f"{one.updates:,.0f}",
            f"{seconds_of(one, clock) / 60:.1f}",
            f"{one.parameters:,}",
            _size(one),
        )
    kind = "processor time" if clock == PROCESSOR else "wall-clock time"
    table.caption = escape(f"minutes of training: {kind}. {front_in_words(comparison)}".strip())
    return table


def task_table(comparison: Comparison) -> Table:
    """Return each task's score, a column per agent."""
    labels = [one.label for one in comparison.agents]
    table = _table("mean over seeds, task by task", "task", *(f">{label}" for label in labels))
    for task in comparison.tasks:
        mine = [row for row in comparison.rows if row.task == task]
        cells = []
        for label in labels:
            own = [row.score for row in mine if row.agent == label]
            cells.append(_number(sum(own) / len(own), mine[0].measure))
        other = "" if mine[0].measure == comparison.measure else f" ({mine[0].measure})"
        table.add_row(escape(task) + other, *cells)
    return table


def pair_table(comparison: Comparison) -> Table:
    """Return the probabilities of improvement, and which agents differ significantly."""
    table = _table("agents in pairs", "a run of ...", "beats one of ...", ">with p", ">95 %", "the first is ...")
    for pair in comparison.pairs:
        estimate = pair.probability
        table.add_row(
            escape(pair.first),
            escape(pair.second),
            f"{estimate.value:.2f}",
            _interval(estimate, "success"),
            SHORT_VERDICTS.get(pair.verdict, pair.verdict),
        )
    return table


def effect_table(comparison: Comparison, overall: TaskEffect) -> Table:
    """Return an agent's tasks against the baseline's, and their mean."""
    seeds = {one.label: len(one.seeds) for one in comparison.agents}
    baseline = str(comparison.baseline)
    title = f"{overall.agent} ({_seeds(seeds[overall.agent])}) against {baseline} ({_seeds(seeds[baseline])})"
    second = "change of area" if overall.measure == RETURN else "transfer"
    mixed = overall.measure != RETURN and any(one.measure == RETURN for one in comparison.effects)
    second += " (of area, for returns)" if mixed else ""
    table = _table(title, "task", ">change of final score", f">{second}", "verdict")
    for effect in (*(one for one in comparison.effects if one.agent == overall.agent), overall):
        if effect is overall:
            table.add_section()
        table.add_row(
            "mean" if effect.task is None else escape(effect.task),
            _gap(effect.final, effect.measure),
            _second(effect),
            SHORT_VERDICTS.get(effect.verdict, effect.verdict),
        )
    return table


def legend(comparison: Comparison) -> str:
    """Explain the tables' intervals and verdicts; empty if there are none."""
    verdicts = {pair.verdict for pair in comparison.pairs} | {effect.verdict for effect in comparison.effects}
    words = []
    if verdicts - {ONE_SEED}:
        words.append("intervals are 95 %, over whole runs, and not adjusted; verdicts are adjusted for multiple tests:")
    if {pair.verdict for pair in comparison.pairs} - {ONE_SEED, FEW_SEEDS}:
        words.append(
            f"agents, and tasks together, are compared by {JUDGED[comparison.pairs[0].judged_by]}, mean over tasks "
            "(Welch's t-test over runs, Holm's correction over all pairs, 5 %)"
        )
    if {effect.verdict for effect in comparison.effects} - {ONE_SEED, FEW_SEEDS}:
        judged = " or ".join(sorted({JUDGED[effect.judged_by] for effect in comparison.effects}))
        words.append(f"single tasks by {judged} (Welch's t-test, false discovery rate 5 % over all tasks and agents)")
    if SAME in verdicts:
        words.append("no difference: none is significant at this number of seeds")
    if FEW_SEEDS in verdicts:
        words.append("two seeds: too few on one side; a verdict needs at least three")
    return "\n".join(words)


def _second(effect: TaskEffect) -> str:
    if effect.measure == RETURN:
        return "-" if effect.area is None else _gap(effect.area, RETURN)
    if effect.transfer is None:
        return "-"
    return f"{effect.transfer.value:+.2f} {_interval(effect.transfer, 'success', signed=True)}".rstrip(" -")


def _gap(gap: Gap, measure: str) -> str:
    estimate = Estimate(gap.value, gap.low, gap.high)
    return f"{_number(gap.value, measure, signed=True)} {_interval(estimate, measure, signed=True)}".rstrip(" -")


def _seeds(count: int) -> str:
    return f"{count} seed" if count == 1 else f"{count} seeds"


def _size(one: AgentSummary) -> str:
    return f"{one.size_ratio:.1f}x !" if one.larger else f"{one.size_ratio:.1f}x  "


def _reached(mark: Reached) -> str:
    steps = "never" if mark.steps is None else f"{mark.steps:,}"
    return steps if mark.seeds == mark.of else f"{steps} ({mark.seeds}/{mark.of})" if mark.seeds else "never"


def _number(value: float, measure: str, signed: bool = False) -> str:
    places = 1 if measure == RETURN else 2
    return f"{value:{'+' if signed else ''}.{places}f}"


def _interval(estimate: Estimate, measure: str, signed: bool = False) -> str:
    if estimate.low is None or estimate.high is None:
        return "-"
    return f"[{_number(estimate.low, measure, signed)}, {_number(estimate.high, measure, signed)}]"


def _table(title: str, *columns: str) -> Table:
    """Return an empty table; columns whose names begin with ``>`` are right-aligned."""
    table = Table(title=escape(title), title_justify="left", caption_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        number = name.startswith(">")
        table.add_column(escape(name.removeprefix(">")), justify="right" if number else "left", overflow="fold")
    return table
