"""Score against cost: training time by one clock for all agents, parameters, and the Pareto front of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtrl.comparison.outcomes import AgentSummary, Comparison
from mtrl.comparison.statistics import Estimate

PROCESSOR, WALL = "processor seconds", "wall seconds"
AREA, FINAL = "area under the learning curve", "mean final score"


@dataclass(frozen=True)
class Cost:
    """One kind of cost: each agent's ``values``, and the labels of the Pareto ``front``, the cheapest first."""

    name: str  # for headings
    cheaper: str  # phrase after "scores higher"
    values: tuple[float, ...]
    front: tuple[str, ...]


def cpu_seconds_of(results: Iterable[dict[str, Any]]) -> float | None:
    """Return the mean processor time of runs' results.

    None if one lacks it, or was trained on a GPU, whose work processor time does not include.
    """
    known = [result.get("cpu_seconds") if result.get("device") == "cpu" else None for result in results]
    return None if None in known else float(np.mean([own for own in known if own is not None]))


def clock_of(comparison: Comparison) -> str:
    """Return the clock for the training time of all agents: processor time if all have it, else wall-clock time."""
    return WALL if any(one.cpu_seconds is None for one in comparison.agents) else PROCESSOR


def seconds_of(one: AgentSummary, clock: str) -> float:
    """Return an agent's mean training time by ``clock``."""
    return one.wall_seconds if clock == WALL or one.cpu_seconds is None else one.cpu_seconds


def scores_of(comparison: Comparison) -> tuple[str, list[Estimate]]:
    """Return the name of the score that is compared with cost, the area if all have curves, and each agent's score."""
    areas = [one.auc for one in comparison.agents if one.auc is not None]
    return (AREA, areas) if len(areas) == len(comparison.agents) else (FINAL, [one.mean for one in comparison.agents])


def costs_of(comparison: Comparison) -> tuple[Cost, Cost]:
    """Return the agents' training time and their parameters, with the front of each."""
    agents, clock = comparison.agents, clock_of(comparison)
    _, scores = scores_of(comparison)
    values = [score.value for score in scores]

    def cost(name: str, cheaper: str, own: Sequence[float]) -> Cost:
        ordered = sorted(front(own, values), key=lambda k: (own[k], k))
        return Cost(name, cheaper, (*own,), tuple(agents[k].label for k in ordered))

    return (
        cost(f"{clock} of training", f"in fewer {clock} of training", [seconds_of(one, clock) for one in agents]),
        cost("parameters", "with fewer parameters", [float(one.parameters) for one in agents]),
    )


def front(costs: Sequence[float], scores: Sequence[float]) -> list[int]:
    """Return the indices of the Pareto front: of those that no other one beats.

    One beats another that costs no less and scores no higher, unless cost and score are both equal.
    """
    points = [*zip(costs, scores, strict=True)]
    return [
        k
        for k, (cost, score) in enumerate(points)
        if not any(c <= cost and s >= score and (c, s) != (cost, score) for c, s in points)
    ]


def front_in_words(comparison: Comparison) -> str:
    """Return a sentence about the agents on the fronts; empty if there is only one agent."""
    if len(comparison.agents) < 2:
        return ""
    time, size = costs_of(comparison)
    by = f"by the mean {scores_of(comparison)[0].removeprefix('mean ')}"
    if time.front == size.front:
        return f"No agent scores higher {time.cheaper}, or {size.cheaper}, than {either(time.front)}, {by}."
    first = f"No agent scores higher {time.cheaper} than {either(time.front)}"
    return f"{first}, and none {size.cheaper} than {either(size.front)}, {by}."


def either(names: Sequence[str]) -> str:
    """Join names by "or"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
