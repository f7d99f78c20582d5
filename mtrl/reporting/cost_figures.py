"""The report's charts of score against cost: over training time, and over the number of parameters."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from mtrl.comparison.cost import PROCESSOR, WALL, Cost, costs_of, either, scores_of
from mtrl.comparison.measures import SUCCESS
from mtrl.comparison.outcomes import Comparison
from mtrl.reporting.cost_chart import Point, cost_chart

CLOCKS = {
    PROCESSOR: "Processor seconds include all processes that a training run started.",
    WALL: "Wall-clock seconds for all agents, because at least one run has no processor time or was trained on a GPU. "
    "They include whatever else the machine was doing.",
}


@dataclass(frozen=True)
class CostFigure:
    """A chart; ``kind`` is used in its file's name."""

    kind: str
    title: str
    chart: Markup


def cost_figures(comparison: Comparison, series: dict[str, int]) -> list[CostFigure]:
    """Draw score over training time and over parameters; there are no charts if there is only one agent."""
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
    label = f"{title}, {len(points)} agents; none scores higher {cost.cheaper} than {either(cost.front)}"
    return CostFigure(kind, title, Markup(cost_chart(points, label, cost.name, upward, comparison.measure == SUCCESS)))
