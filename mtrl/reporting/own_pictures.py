"""Heat maps from an agent's own pieces: a trunk's routing, masks or depth, and the weights of tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mtrl.gathering.curves import Curve, read_curves
from mtrl.gathering.run import Run
from mtrl.reporting.insight import Table, mean_table
from mtrl.runs.folder import METRICS
from mtrl.tracking.tags import task_tag

SHOWN_ELSEWHERE = ("attention", "context_similarity", "gradient_cosine", "actor_gradient_cosine")
# Descriptions of values by the prefix of a table's name.
NUMBERS = {
    "actor_routing": "How much each module of a layer takes of each module before it, by task",
    "actor_expert_weights": "How each task weighs the experts",
    "actor_composition": "How each task combines the shared sets of weights",
    "actor_units_in_use": "The share of each hidden layer's units that a task uses",
    "actor_stitched": "How much a task takes of the shared network before each layer",
    "actor_blocks": "How each task weighs the blocks of a layer",
    "actor_depth": "How each task weighs the network's layers",
    "code_std": "The standard deviation of each number of a task's code",
}
WEIGHTS = (
    ("train/critic_task_weight", "Weights of tasks in the critics' update"),
    ("train/actor_task_weight", "Weights of tasks in the actor's update"),
    ("train/batch_share", "Shares of the batch"),
)
TIMES = 8  # columns of a heat map over time


class Picture(NamedTuple):
    """A table to draw, its title, and a sentence about it."""

    title: str
    note: str
    table: Table


def own_pictures(runs: Sequence[Run], tables: Sequence[Mapping[str, list[tuple[int, Table]]]]) -> list[Picture]:
    """Return the heat maps of an agent's runs, given their ``tables`` by name; those over time come last."""
    return [*_inside(runs, tables), *_over_time(runs)]


def _inside(runs: Sequence[Run], tables: Sequence[Mapping[str, list[tuple[int, Table]]]]) -> list[Picture]:
    """Return each table at the end of training, for the first seed that has it, as experts differ between seeds."""
    found: dict[str, Picture] = {}
    for run, own in zip(runs, tables, strict=True):
        for name, entries in own.items():
            if name in SHOWN_ELSEWHERE or name in found:
                continue
            what = next(
                (words for begin, words in NUMBERS.items() if name.startswith(begin)), "As the agent reports it"
            )
            title = name[:1].upper() + name[1:].replace("_", " ")
            found[name] = Picture(title, f"{what}; seed {run.config.seed}, at the end of training.", entries[-1][1])
    return [*found.values()]


def _over_time(runs: Sequence[Run]) -> list[Picture]:
    """Return the tasks' shares of their summed weights over training, mean over the seeds that have them."""
    pictures = []
    for tag, title in WEIGHTS:
        read = [(run.tasks, read_curves(run.path / METRICS, f"{tag}/")) for run in runs]
        shares = [table for tasks, curves in read if (table := _shares(tag, tasks, curves)) is not None]
        alike = [table for table in shares if (table.rows, table.columns) == (shares[0].rows, shares[0].columns)]
        if alike:
            note = "Absolute values in a column sum to 1 over all tasks; columns are steps per task, mean over seeds."
            pictures.append(Picture(f"{title} over training", note, mean_table(alike)))
    return pictures


def _shares(tag: str, tasks: Sequence[str], curves: Mapping[str, Curve]) -> Table | None:
    """Return each task's share of the weights, (T, steps), at up to ``TIMES`` steps, or None if a task lacks them."""
    own = [curves.get(task_tag(tag, name)) for name in tasks]
    known = [curve for curve in own if curve is not None]
    if not known or len(known) < len(tasks) or any(len(one.steps) != len(known[0].steps) for one in known):
        return None
    at = np.unique(np.linspace(0, len(known[0].steps) - 1, TIMES).round().astype(int))
    values = np.stack([curve.values[at] for curve in known])
    total = np.abs(values).sum(axis=0)
    columns = tuple(f"{step:,}" for step in known[0].steps[at])
    return Table(tuple(tasks), columns, values / np.where(total > 0, total, 1.0))
