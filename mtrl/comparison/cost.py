"""Score against cost: what training an agent takes, by one clock for all of them, and whom none beats in both."""

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
    """What each agent's runs cost in one regard, ``values``, and the ``front``: labels, the cheapest first."""

    name: str  # as a heading says it
    cheaper: str  # as "scores higher ..." goes on
    values: tuple[float, ...]
    front: tuple[str, ...]


def cpu_seconds_of(results: Iterable[dict[str, Any]]) -> float | None:
    """Return the mean processor time of runs' results.

    None where one lacks it, or was trained on a GPU, whose work the processor's time leaves out.
    """
    known = [result.get("cpu_seconds") if result.get("device") == "cpu" else None for result in results]
    return None if None in known else float(np.mean([own for own in known if own is not None]))


def clock_of(comparison: Comparison) -> str:
    """Return by which clock all agents' trainings are told: the processor's, if all have it, else the wall's."""
    return WALL if any(one.cpu_seconds is None for one in comparison.agents) else PROCESSOR


def seconds_of(one: AgentSummary, clock: str) -> float:
    """Return an agent's mean training time by a clock that it has."""
    return one.wall_seconds if clock == WALL or one.cpu_seconds is None else one.cpu_seconds


def scores_of(comparison: Comparison) -> tuple[str, list[Estimate]]:
    """Return what agents are scored by against their cost, and each one's: the area, if all have curves."""
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
    """Return the places of those that no other beats, the Pareto front.

    One beats another that costs no less and scores no higher, unless both are equal in both.
    """
    points = [*zip(costs, scores, strict=True)]
    return [
        k
        for k, (cost, score) in enumerate(points)
        if not any(c <= cost and s >= score and (c, s) != (cost, score) for c, s in points)
    ]


def front_in_words(comparison: Comparison) -> str:
    """Say in a sentence which agents are on the fronts; nothing where there is but one agent."""
    if len(comparison.agents) < 2:
        return ""
    time, size = costs_of(comparison)
    by = f"by the mean {scores_of(comparison)[0].removeprefix('mean ')}"
    if time.front == size.front:
        return f"No agent scores higher {time.cheaper}, or {size.cheaper}, than {either(time.front)}, {by}."
    told = f"No agent scores higher {time.cheaper} than {either(time.front)}"
    return f"{told}, and none {size.cheaper} than {either(size.front)}, {by}."


def either(names: Sequence[str]) -> str:
    """Join names by "or"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
