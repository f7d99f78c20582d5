"""Why sharing helped or hurt, agent by agent, as a report shows it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mtrl.comparison.curves import read_curves
from mtrl.comparison.gather import Gathered, Run
from mtrl.comparison.grouping import Group
from mtrl.reporting.insight import (
    Table,
    halves,
    mean_table,
    read_tables,
    routing_similarity,
    say_of_attention,
    say_of_gradients,
    snapshots,
)
from mtrl.runs import ABLATION, METRICS

# Tag below train_diagnostics/, what it is called, how it is written.
NUMBERS = (
    ("conflict_rate", "pairs of tasks whose critic gradients conflict", "{:.0%}"),
    ("actor_conflict_rate", "pairs of tasks whose actor gradients conflict", "{:.0%}"),
    ("gradient_norm_ratio", "largest to smallest task gradient", "{:.1f}"),
    ("attention_information", "information of attention about the task, nats", "{:.2f}"),
    ("dormant_share", "dormant units", "{:.1%}"),
    ("effective_rank", "effective rank of the critics' features", "{:.0f}"),
    ("q_overestimation", "critics' value above the return, reward units", "{:+.2f}"),
)
PREFIX = "train_diagnostics/"
MOST_SHOWN = 12  # tasks of a map that is open from the start


@dataclass(frozen=True)
class Number:
    """A diagnosis at the end of training: its mean over seeds, and the lowest and highest seed."""

    name: str
    middle: str
    range: str


@dataclass(frozen=True)
class Map:
    """A table to be drawn as a heat map; ``signed`` says that its numbers are cosines."""

    title: str
    note: str
    table: Table
    signed: bool
    open: bool


@dataclass(frozen=True)
class Insight:
    """What the diagnostics of an agent's runs say."""

    agent: str
    sentences: list[str]
    numbers: list[Number]
    attention: list[tuple[str, Table]]  # steps per task, weights
    attention_seed: int | None
    maps: list[Map]


def insights(gathered: Gathered) -> list[Insight]:
    """Return what there is to say of each agent that was diagnosed, in the order of the comparison."""
    return [insight for group in gathered.groups if (insight := _insight(group)) is not None]


def _insight(group: Group) -> Insight | None:
    tables = [read_tables(run.path) for run in group.runs]

    def ends(name: str) -> list[Table]:
        return [own[name][-1][1] for own in tables if own.get(name)]

    attention = ends("attention")
    cosines = [halves(own["gradient_cosine"]) for own in tables if own.get("gradient_cosine")]
    early, gradients = [first for first, _ in cosines if first is not None], [late for _, late in cosines]
    ablated = [table for run in group.runs if (table := read_ablation(run.path)) is not None]
    last = _last(group.runs)
    numbers = _numbers(last)
    if not (attention or gradients or ablated or numbers):
        return None
    sentences = []
    if gradients:
        sentences += say_of_gradients(mean_table(gradients), mean_table(early) if early else None)
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
        maps=_maps(gradients, attention, ends("context_similarity"), ablated[:1]),
    )


def _maps(
    gradients: Sequence[Table], attention: Sequence[Table], contexts: Sequence[Table], ablated: Sequence[Table]
) -> list[Map]:
    """Return the maps for which there is something to draw, the telling ones first."""
    signed = partial(_map, signed=True)
    found = [
        signed(
            "Interference: do tasks pull the same way?",
            "Cosine between two tasks' critic gradients on the parameters that they share, mean over the second half "
            "of training and over seeds. Below 0 what helps one task hurts the other.",
            gradients,
        ),
        signed(
            "Routing: which tasks use the same encoders?",
            "Cosine between two tasks' weights over encoders at the end of training, mean over seeds.",
            [routing_similarity(table) for table in attention],
        ),
        signed(
            "Context: which tasks does the agent think alike?",
            "Cosine between two tasks' contexts at the end of training, mean over seeds.",
            contexts,
        ),
        signed(
            "What each encoder is worth",
            "Score of the whole agent less its score without the encoder, task by task, of one seed. Large numbers in "
            "few rows: an encoder with a speciality.",
            ablated,
        ),
    ]
    return [one for one in found if one is not None]


def _map(title: str, note: str, tables: Sequence[Table], signed: bool) -> Map | None:
    if not tables:
        return None
    table = mean_table(tables)
    return Map(title, note, table, signed, open=len(table.rows) <= MOST_SHOWN)


def _last(runs: Sequence[Run]) -> dict[str, list[float]]:
    """Return each diagnosis' last value in the runs that have it."""
    curves = [read_curves(run.path / METRICS, PREFIX) for run in runs]
    tags = dict.fromkeys(tag for own in curves for tag in own)
    return {tag.removeprefix(PREFIX): [float(own[tag].values[-1]) for own in curves if tag in own] for tag in tags}


def _numbers(last: dict[str, list[float]]) -> list[Number]:
    """Put the last values into words."""
    found = []
    for tag, name, how in NUMBERS:
        if values := last.get(tag):
            spread = f"{how.format(min(values))} to {how.format(max(values))}" if len(values) > 1 else "one seed"
            found.append(Number(name, how.format(float(np.mean(values))), spread))
    return found


def read_ablation(run: Path) -> Table | None:
    """Return what each encoder of a run is worth to each task, (T, K), in shares of success, or None.

    Ablations that were scored by return are left out: returns of different tasks share no scale.
    """
    path = run / ABLATION
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        whole, without = np.array(found["whole"], dtype=float), np.array(found["without"], dtype=float)
        names = tuple(map(str, found["tasks"])), tuple(map(str, found["encoders"]))
        if found["measure"] != "success_any" or without.shape != (len(names[0]), len(names[1])):
            return None
        return Table(*names, whole[:, None] - without)
    except (OSError, ValueError, KeyError, TypeError):
        return None
