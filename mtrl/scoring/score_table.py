"""Tables of scores for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from rich.markup import escape
from rich.table import Table

from agents.registry.lookup import learned_alone
from mtrl.scoring.many_tasks import by_group
from mtrl.scoring.scores import RARE

SUCCESS, RETURN = ("success_any", "success_last"), ("return",)
RANDOM = "random_"  # prefix of the keys of random actions' scores
KINDS = {"held_out": "held-out", "paraphrased": "paraphrased"}  # of tasks: their keys in results, and their names
PLACES = {SUCCESS: 2, RETURN: 1}
WIDE = 1e7  # returns from this on are written as 1.2e+09, to leave room for the tasks' names
Scores = Mapping[str, Any]  # a task's entry of ``result.json``


class ScoreRow(NamedTuple):
    """A row of the table: a task's scores or means of scores, one per result, in the measures ``kind``."""

    label: str
    side: str
    scores: Sequence[Scores]
    kind: tuple[str, ...]
    normalised: str = ""


def comparison_table(results: Sequence[dict[str, Any]]) -> Table:
    """Return a table with a row per task, or per group of many tasks, of one result or of two and their difference.

    Success is given twice, at any step of the episode and at its last. If it is rare, a row of returns is added; a task
    that does not report it has only that row, with the normalised return if there is a single-task baseline. ``random``
    is the score of random actions. ``range`` states whether a held-out task is inside the trained range. Two agents fit
    into 80 columns.
    """
    tasks = results[0]["tasks"]
    returns_only = all(scores["success_any"] is None for scores in tasks.values())
    sided = any(scores.get("range") for scores in tasks.values())
    floor = any(scores.get(RANDOM + key) is not None for scores in tasks.values() for key in (*SUCCESS, *RETURN))
    normalised = normalised_returns(results)

    columns: list[tuple[str, str, Callable[[ScoreRow], str]]] = []
    if sided:
        columns.append(("range", "", lambda line: line.side))
    columns += [(result["agent"], "any last", partial(_own, of=k)) for k, result in enumerate(results)]
    if len(results) == 2:
        columns.append(("difference", "any  last", _difference))
    if floor:
        columns.append(("random", "any last", _random))
    if normalised:
        columns.append(("normalised", "", lambda line: line.normalised))

    groups = gathered(tasks)
    caption = _caption(returns_only, floor, bool(groups), bool(normalised))
    title = escape(_title(results, returns_only))
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    table.add_column("group (tasks)" if groups else "task", overflow="fold")
    for name, below, _ in columns:
        header = name if returns_only or not below else f"{name}\n{below}"
        table.add_column(escape(header), justify="left" if name == "range" else "right", no_wrap=True)
    for line in _group_lines(results, groups, normalised) if groups else _task_lines(results, returns_only, normalised):
        table.add_row(line.label, *(cell(line) for _, _, cell in columns))
    table.add_section()
    for line in _mean_lines(results, normalised):
        table.add_row(line.label, *(cell(line) for _, _, cell in columns))
    return table


def normalised_returns(results: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Return, by task without success, the return on a scale from random actions (0) to the task learned alone (1).

    It is (R - R_random) / (R_baseline - R_random), or None if the baseline is no better than random actions. The result
    is empty without a single-task baseline.
    """
    if len(results) != 2 or not learned_alone(results[1]["agent"]):
        return {}
    shares: dict[str, float | None] = {}
    for name, scores in results[0]["tasks"].items():
        chance = scores.get("random_return")
        if scores["success_any"] is None and chance is not None:
            span = results[1]["tasks"][name]["return"] - chance
            shares[name] = (scores["return"] - chance) / span if span > 0 else None
    return shares


def _task_lines(
    results: Sequence[dict[str, Any]], returns_only: bool, normalised: Mapping[str, float | None]
) -> Iterable[ScoreRow]:
    for name, first in results[0]["tasks"].items():
        label = escape(name) if returns_only or first["success_any"] is not None else f"{escape(name)} (return)"
        scores = [result["tasks"][name] for result in results]
        yield from _lines(label, escape(first.get("range") or "-"), scores, _share(normalised.get(name)))


def gathered(tasks: Mapping[str, Scores]) -> dict[str, list[str]]:
    """Return the names of many tasks by group; empty if they are few or one has no group."""
    return by_group({name: scores.get("group") or "" for name, scores in tasks.items()})


def _group_lines(
    results: Sequence[dict[str, Any]], groups: Mapping[str, list[str]], normalised: Mapping[str, float | None]
) -> Iterable[ScoreRow]:
    for group, names in groups.items():
        yield from _mean_of(f"{escape(group)} ({len(names)})", names, results, normalised)


def _mean_lines(results: Sequence[dict[str, Any]], normalised: Mapping[str, float | None]) -> Iterable[ScoreRow]:
    ranges = {name: scores.get("range") for name, scores in results[0]["tasks"].items()}
    for side in (None, *sorted({side for side in ranges.values() if side})):
        names = [name for name, own in ranges.items() if side in (None, own)]
        yield from _mean_of("mean" if side is None else f"mean {escape(side)}", names, results, normalised)


def _mean_of(
    label: str, names: Sequence[str], results: Sequence[dict[str, Any]], normalised: Mapping[str, float | None]
) -> Iterable[ScoreRow]:
    scores = [means_of([result["tasks"][name] for name in names]) for result in results]
    shares = [normalised[name] for name in names if name in normalised]
    yield from _lines(label, "", scores, _share(None if None in shares else _mean(shares)))


def _lines(label: str, side: str, scores: Sequence[Scores], normalised: str) -> Iterable[ScoreRow]:
    """Yield the rows of a task or of means: success, returns, or both if success is rare."""
    rates = [own["success_any"] for own in scores if own["success_any"] is not None]
    yield ScoreRow(label, side, scores, SUCCESS if rates else RETURN, normalised)
    if rates and max(rates) < RARE:
        yield ScoreRow("  return", "", scores, RETURN)


def _own(line: ScoreRow, of: int) -> str:
    return _cell([line.scores[of][key] for key in line.kind], line.kind)


def _difference(line: ScoreRow) -> str:
    first, second = line.scores
    pairs = [(first[key], second[key]) for key in line.kind]
    return _cell([None if a is None or b is None else a - b for a, b in pairs], line.kind, "+")


def _random(line: ScoreRow) -> str:
    return _cell([line.scores[0].get(RANDOM + key) for key in line.kind], line.kind)


def _cell(values: Sequence[float | None], kind: tuple[str, ...], sign: str = "") -> str:
    """Return numbers side by side, each as wide as a success rate."""
    form = f"{sign}.{PLACES[kind]}f"
    width = len(f"{0:{form}}") if kind == SUCCESS else 0
    return " ".join(
        f"{'-':>{width}}" if value is None else f"{value:{form if abs(value) < WIDE else f'{sign}.1e'}}"
        for value in values
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def means_of(tasks: Sequence[Scores]) -> dict[str, float | None]:
    """Return the means over tasks, of each measure over the tasks that have it."""
    keys = [*SUCCESS, *RETURN]
    return {key: _mean(scores.get(key) for scores in tasks) for key in [*keys, *(RANDOM + key for key in keys)]}


def _title(results: Sequence[dict[str, Any]], returns_only: bool) -> str:
    first = results[0]
    kind = next((words for key, words in KINDS.items() if first.get(key)), "")
    what = f"{first['suite']}, {kind} tasks" if kind else first["suite"]
    counts = sorted({task["episodes"] for task in first["tasks"].values()})
    episodes = " to ".join(map(str, counts[:: max(len(counts) - 1, 1)]))
    seeds = ", ".join(sorted({str(r["seed"]) for r in results}))
    return f"{what}: {'return' if returns_only else 'success'} over {episodes} episodes per task, seed {seeds}"


def _caption(returns_only: bool, floor: bool, by_group: bool, normalised: bool) -> str | None:
    words = [] if returns_only else ["any: success at any step of an episode", "last: at its last step"]
    words += ["random: uniform actions from the same starts"] if floor else []
    dash = f"- {'' if returns_only else 'with success, or '}if that is no better than random"
    words += [f"normalised: return, 0 random, 1 learned alone; {dash}"] if normalised else []
    words += ["rows are means over a group's tasks; the run's folder has every task"] if by_group else []
    return "; ".join(words) or None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
