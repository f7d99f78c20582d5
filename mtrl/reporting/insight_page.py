"""The report's diagnoses of each agent: why sharing helped or hurt."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mtrl.gathering.curves import read_curves
from mtrl.gathering.gather import Gathered
from mtrl.gathering.grouping import Group
from mtrl.gathering.run import Run
from mtrl.reporting.insight import (
    Table,
    halves,
    mean_table,
    read_tables,
    readable,
    routing_similarity,
    say_how_many,
    say_of_attention,
    say_of_gradients,
    snapshots,
)
from mtrl.reporting.own_pictures import own_pictures
from mtrl.runs.folder import ABLATION, MATRICES, METRICS
from mtrl.runs.reading import read_json
from mtrl.runs.weights_digest import DIGEST, weights_digest
from mtrl.scoring.many_tasks import Groups

# Tag below train_diagnostics/, name, format.
NUMBERS = (
    ("gradient_norm_ratio", "largest to smallest task gradient", "{:.1f}"),
    ("attention_information", "information of attention about the task, nats", "{:.2f}"),
    ("dormant_share", "dormant units", "{:.1%}"),
    ("effective_rank", "effective rank of the critics' features", "{:.0f}"),
    ("q_overestimation", "critics' value above the return, reward units", "{:+.2f}"),
)
GRADIENTS = (("critic", "gradient_cosine"), ("actor", "actor_gradient_cosine"))
PREFIX = "train_diagnostics/"
MAX_OPEN = 12  # tasks of a map that is initially open


@dataclass(frozen=True)
class Number:
    """A diagnostic value at the end of training: its mean over seeds, and the range over seeds."""

    name: str
    middle: str
    range: str


@dataclass(frozen=True)
class Map:
    """A table of values in [-1, 1], drawn as a heat map."""

    title: str
    note: str
    table: Table
    open: bool


@dataclass(frozen=True)
class Insight:
    """The diagnoses of an agent's runs."""

    agent: str
    sentences: list[str]
    numbers: list[Number]
    attention: list[tuple[str, Table]]  # steps per task, weights
    attention_seed: int | None
    maps: list[Map]


def insights(gathered: Gathered, groups: Groups) -> list[Insight]:
    """Return the diagnoses of each agent that has any, in the order of the comparison.

    Maps of many tasks show means over ``groups``; sentences and numbers are about the tasks themselves.
    """
    found = [insight for group in gathered.groups if (insight := _insight(group)) is not None]
    return [_by_group(insight, groups) for insight in found] if groups else found


def _by_group(insight: Insight, groups: Groups) -> Insight:
    attention = [(step, table.by_group(groups)) for step, table in insight.attention]
    return replace(insight, attention=attention, maps=[_map_by_group(one, groups) for one in insight.maps])


def _map_by_group(one: Map, groups: Groups) -> Map:
    table = one.table.by_group(groups)
    if table.rows == one.table.rows:
        return one
    note = f"{one.note} Means over each group's tasks; {MATRICES} in a run's folder has every task."
    return Map(one.title, note, table, open=len(table.rows) <= MAX_OPEN)


def _insight(group: Group) -> Insight | None:
    tables = [read_tables(run.path) for run in group.runs]

    def ends(name: str) -> list[Table]:
        return [own[name][-1][1] for own in tables if own.get(name)]

    attention = ends("attention")
    gradients = {whose: found for whose, name in GRADIENTS if (found := _gradients(tables, name))}
    ablated = [table for run in group.runs if (table := read_ablation(run.path)) is not None]
    last = _last(group.runs)
    numbers = [_conflicts(whose, found.late) for whose, found in gradients.items()] + _numbers(last)
    own = own_pictures(group.runs, tables)
    if not (attention or gradients or ablated or numbers or own):
        return None
    sentences = [line for whose, found in gradients.items() for line in found.sentences(whose)]
    if attention and last.get("attention_information"):
        sentences.append(say_of_attention(attention[0], float(np.mean(last["attention_information"]))))
    shown = next((k for k, own in enumerate(tables) if own.get("attention")), None)
    steps = [] if shown is None else snapshots(tables[shown]["attention"])
    return Insight(
        agent=group.label,
        sentences=sentences,
        numbers=numbers,
        attention=[(f"{step:,}", table) for step, table in steps],
        attention_seed=None if shown is None else group.runs[shown].config.seed,
        maps=[
            *(_interference(whose, found.late) for whose, found in gradients.items()),
            *_maps(attention, ends("context_similarity"), ablated[:1]),
            *(_map(one.title, one.note, [one.table]) for one in own),
        ],
    )


@dataclass(frozen=True)
class Gradients:
    """Each seed's mean cosines between tasks' gradients in the second half of training, and in the first if known."""

    late: list[Table]
    early: list[Table]

    def sentences(self, whose: str) -> list[str]:
        """Describe their means over seeds in words."""
        return say_of_gradients(whose, mean_table(self.late), mean_table(self.early) if self.early else None)


def _gradients(tables: Sequence[dict[str, list[tuple[int, Table]]]], name: str) -> Gradients | None:
    parts = [halves(own[name]) for own in tables if own.get(name)]
    return Gradients([late for _, late in parts], [early for early, _ in parts if early is not None]) if parts else None


def _conflicts(whose: str, late: Sequence[Table]) -> Number:
    """Count the conflicting pairs in the map shown, consistently with the sentence above it."""
    name = f"pairs of tasks that conflict in the {whose}, second half of training"
    return Number(name, say_how_many(mean_table(late)), "by cosines averaged over seeds")


def _interference(whose: str, late: Sequence[Table]) -> Map:
    note = (
        f"Cosine between two tasks' {whose} gradients on the parameters that they share, mean over the second half of "
        "training and over seeds. Below 0, the tasks conflict: what helps one hurts the other."
    )
    return _map(f"Interference in the {whose}: do tasks pull the same way?", note, late)


def _maps(attention: Sequence[Table], contexts: Sequence[Table], ablated: Sequence[Table]) -> list[Map]:
    """Return the maps that have data, the most informative first."""
    found = (
        (
            "Routing: which tasks use the same encoders?",
            "Cosine between two tasks' weights over encoders at the end of training, mean over seeds.",
            [routing_similarity(table) for table in attention],
        ),
        (
            "Context: which tasks does the agent consider similar?",
            "Cosine between two tasks' contexts at the end of training, mean over seeds.",
            contexts,
        ),
        (
            "The worth of each encoder",
            "Score of the full agent minus its score without the encoder, by task, for one seed. Large values in few "
            "rows mean a specialised encoder.",
            ablated,
        ),
    )
    return [_map(title, note, tables) for title, note, tables in found if tables]


def _map(title: str, note: str, tables: Sequence[Table]) -> Map:
    table = mean_table(tables)
    return Map(title, note, table, open=len(table.rows) <= MAX_OPEN)


def _last(runs: Sequence[Run]) -> dict[str, list[float]]:
    """Return the last value of each diagnostic in the runs that have it."""
    curves = [read_curves(run.path / METRICS, PREFIX) for run in runs]
    tags = dict.fromkeys(tag for own in curves for tag in own)
    return {tag.removeprefix(PREFIX): [float(own[tag].values[-1]) for own in curves if tag in own] for tag in tags}


def _numbers(last: dict[str, list[float]]) -> list[Number]:
    """Format the last values."""
    found = []
    for tag, name, how in NUMBERS:
        if values := last.get(tag):
            spread = f"{how.format(min(values))} to {how.format(max(values))}" if len(values) > 1 else "one seed"
            found.append(Number(name, how.format(float(np.mean(values))), spread))
    return found


def read_ablation(run: Path) -> Table | None:
    """Return the worth of each encoder of a run to each task, (T, K), in success rates, or None.

    Ablations scored by return are left out, since returns of different tasks have no common scale, and so are those of
    weights that have been trained further since, with a warning.
    """
    path = run / ABLATION
    if not readable(path):
        return None
    try:
        found = read_json(path)
        if DIGEST in found and found[DIGEST] != weights_digest(run).get(DIGEST):
            sys.stderr.write(f"warning: left out: {str(path)!r} is about earlier weights; evaluate the run again\n")
            return None
        full, without = np.array(found["whole"], dtype=float), np.array(found["without"], dtype=float)
        names = tuple(map(str, found["tasks"])), tuple(map(str, found["encoders"]))
        if found["measure"] != "success_any" or without.shape != (len(names[0]), len(names[1])):
            return None
        return Table(*names, full[:, None] - without)
    except (OSError, ValueError, KeyError, TypeError):
        return None
