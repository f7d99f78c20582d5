"""A chart of score against cost: a named point for each agent, and the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mtrl.comparison.statistics import Estimate
from mtrl.pictures.names import names_as_they_are, shortened
from mtrl.reporting.charts import INK, SERIES, as_svg, dress
from mtrl.reporting.labels import Place, lead, place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

SIZE = (4.4, 3.5)  # inches
MARKS = ("o", "s", "^", "D")  # distinguishable in greyscale
MAX_LABEL_LENGTH = 26  # characters
MIN_SPAN = 5.0  # ratio of the ends of the cost axis
# Ticks in each decade of the cost axis, by the largest ratio of its ends.
STEPS = ((10.0, (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)), (100.0, (1.0, 2.0, 5.0)), (math.inf, (1.0,)))
# Size of a point, half the width of a line, and the margin around a name, in typographic points.
POINT, LINE, SPACE = 5.0, 0.6, 1.5


@dataclass(frozen=True)
class Point:
    """An agent: its colour, name, cost and score, and whether it is on the front (``ahead``)."""

    series: int
    name: str
    cost: float
    score: Estimate
    ahead: bool

    @property
    def colour(self) -> str:
        """The placeholder for the page's colour."""
        return SERIES[self.series % len(SERIES)]

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of its interval; both are the score if it has none."""
        low, high = self.score.low, self.score.high
        return (self.score.value,) * 2 if low is None or high is None else (low, high)


@names_as_they_are()
def cost_chart(points: Sequence[Point], label: str, across: str, upward: str, share: bool) -> str:
    """Draw scores over costs on a logarithmic axis, and return the chart as SVG. ``share``: scores lie in [0, 1].

    ``across`` and ``upward`` are the labels of the axes, ``label`` that of the chart. At least one point is on the
    front.
    """

    def draw(axes: Axes) -> None:
        _measure(axes, points, share)
        dress(axes, across)
        axes.set_ylabel(upward, color=INK)
        _draw_front(axes, points)
        for point in points:
            axes.plot([point.cost] * 2, point.ends, color=point.colour, alpha=0.4, linewidth=1.2)
            face = point.colour if point.ahead else "none"
            mark = MARKS[point.series % len(MARKS)]
            style: dict[str, Any] = {"markersize": POINT, "markerfacecolor": face, "markeredgecolor": point.colour}
            axes.plot([point.cost], [point.score.value], linestyle="none", marker=mark, **style)
        _write_names(axes, points)

    return as_svg(draw, label, SIZE)


def limits(costs: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a logarithmic axis for the costs, wide enough not to exaggerate small differences."""
    low, high = math.log(min(costs)), math.log(max(costs))
    room = max(0.08 * (high - low), (math.log(MIN_SPAN) - (high - low)) / 2)
    return math.exp(low - room), math.exp(high + room)


def marks(low: float, high: float) -> list[float]:
    """Return the ticks of a logarithmic axis, which are fewer per decade if there are many decades."""
    steps = next(own for most, own in STEPS if high <= most * low)
    tens = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [mark for ten in tens for step in steps if low <= (mark := step * 10.0**ten) <= high]


def heights(points: Sequence[Point]) -> tuple[float, float]:
    """Return the ends of the score axis, which includes the intervals unless they would compress the means too much."""
    means = [point.score.value for point in points]
    lows, highs = zip(*(point.ends for point in points), strict=True)
    low, high = min(lows), max(highs)
    spread = max(means) - min(means)
    if spread > 0:
        low, high = max(low, min(means) - spread), min(high, max(means) + spread)
    room = 0.08 * (high - low) or 0.1
    return low - room, high + room


def _measure(axes: Axes, points: Sequence[Point], share: bool) -> None:
    from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator, NullLocator

    low, high = limits([point.cost for point in points])
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_xticks(marks(low, high))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_ylim(*heights(points))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    if share:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}".replace("0.", ".", 1)))


def _draw_front(axes: Axes, points: Sequence[Point]) -> None:
    """Draw the highest score up to each cost, with a step at each agent of the front."""
    costs, scores = _front(axes, points)
    steps: dict[str, Any] = {"drawstyle": "steps-post", "linestyle": (0, (4, 2)), "linewidth": 1.0}
    axes.plot(costs, scores, color=INK, alpha=0.45, **steps)


def _front(axes: Axes, points: Sequence[Point]) -> tuple[list[float], list[float]]:
    """Return costs and scores of the front, the cheapest first, with the last one repeated at the edge of the chart."""
    ahead = sorted((point.cost, point.score.value) for point in points if point.ahead)
    costs, scores = ([*column] for column in zip(*ahead, strict=True))
    return [*costs, axes.get_xlim()[1]], [*scores, scores[-1]]


def _write_names(axes: Axes, points: Sequence[Point]) -> None:
    """Write each agent's name beside its point, those of the front in bold."""
    from matplotlib.lines import Line2D
    from matplotlib.transforms import IdentityTransform

    names = shortened([point.name for point in points], MAX_LABEL_LENGTH)
    texts = [
        axes.text(0, 0, name, color=point.colour, fontweight="bold" if point.ahead else "normal", in_layout=False)
        for name, point in zip(names, points, strict=True)
    ]
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # needed for the transform from data to positions
    here = IdentityTransform()
    for text, point, own, place in zip(texts, points, *_places(axes, points, texts), strict=True):
        text.set(transform=here, verticalalignment="center", **_anchored(own, place.box))
        if place.led:
            line = np.stack([own, lead(own, place.box)], axis=1)
            axes.add_line(Line2D(*line, color=point.colour, alpha=0.5, linewidth=0.6, transform=here))


def _places(axes: Axes, points: Sequence[Point], texts: Sequence[Text]) -> tuple[np.ndarray, list[Place]]:
    """Return the points' positions in the figure (P, 2), and a place for each one's name."""

    def positions(costs: Sequence[float], scores: Sequence[float]) -> np.ndarray:
        return np.asarray(axes.transData.transform([*zip(costs, scores, strict=True)]))

    costs = [point.cost for point in points]
    at, low, high = (positions(costs, own) for own in zip(*((p.score.value, *p.ends) for p in points), strict=True))
    front = positions(*_front(axes, points))
    extents = [text.get_window_extent() for text in texts]
    sizes = np.array([[extent.width, extent.height] for extent in extents]) + 2 * SPACE
    marks = np.concatenate([at - POINT / 2 - 1, at + POINT / 2 + 1], axis=1)
    low, high = np.concatenate([low, front[:-1]]), np.concatenate([high, np.stack([front[1:, 0], front[:-1, 1]], 1)])
    lines = np.concatenate([low - LINE, high + LINE], axis=1)
    return at, place_labels(at, sizes, np.array(axes.get_window_extent().extents), marks, lines)


def _anchored(point: np.ndarray, box: np.ndarray) -> dict[str, Any]:
    """Return the anchor of a name: its end nearest to the point, since the width of the reader's font is unknown."""
    left, bottom, right, top = box
    side, x = "center", (left + right) / 2
    if left >= point[0]:
        side, x = "left", left + SPACE
    elif right <= point[0]:
        side, x = "right", right - SPACE
    return {"x": x, "y": (bottom + top) / 2, "horizontalalignment": side}
