"""The report's pictures of score against cost: over training time, and over the number of parameters."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from mtrl.comparison.cost import PROCESSOR, WALL, Cost, costs_of, either, scores_of
from mtrl.comparison.measures import SUCCESS
from mtrl.comparison.outcomes import Comparison
from mtrl.reporting.cost_chart import Point, cost_chart

CLOCKS = {
    PROCESSOR: "Processor seconds are those of a training and of all processes that it started.",
    WALL: "Wall seconds are told, for all agents alike: not every run says what it took of the processor, or one was "
    "trained on a GPU. What else the machine did meanwhile is in them.",
}


@dataclass(frozen=True)
class CostFigure:
    """A picture: ``kind`` is a word for its file's name."""

    kind: str
    title: str
    chart: Markup


def cost_figures(comparison: Comparison, series: dict[str, int]) -> list[CostFigure]:
    """Draw score over training time and over parameters; nothing where there is but one agent."""
    if len(comparison.agents) < 2:
        return []
    return [
        _figure(comparison, kind, cost, series)
        for kind, cost in zip(("time", "parameters"), costs_of(comparison), strict=True)
    ]


def _figure(comparison: Comparison, kind: str, cost: Cost, series: dict[str, int]) -> CostFigure:
    upward, scores = scores_of(comparison)
    points = [
        Point(series[one.label], one.label, value, score, one.label in cost.front)
        for one, value, score in zip(comparison.agents, cost.values, scores, strict=True)
    ]
    title = f"{upward[:1].upper()}{upward[1:]} over {cost.name}"
    said = f"{title}, {len(points)} agents; none scores higher {cost.cheaper} than {either(cost.front)}"
    return CostFigure(kind, title, Markup(cost_chart(points, said, cost.name, upward, comparison.measure == SUCCESS)))
