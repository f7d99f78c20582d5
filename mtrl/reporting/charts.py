"""Curves for the report, drawn with matplotlib as SVG that takes its colours from the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#0a0b0c"  # stands for the page's text colour, so that a chart follows light and dark
COLOURS = ("#0b62a8", "#c2500a", "#0a8465", "#a8488b", "#8a6d00", "#2b8fc4", "#6a4fbf", "#7c5145")  # on white
SERIES = tuple(f"#0000{k:02x}" for k in range(1, 1 + len(COLOURS)))  # stand for the page's own, --s1 to --s8
PRINTED = "#1b1f24"  # the text colour where no page gives one
DASHES: tuple[Any, ...] = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))  # for those who print in grey
MAX_POINTS = 120


@dataclass(frozen=True)
class Line:
    """A learning curve: values at numbers of steps per task, and an interval around them where there is one."""

    series: int  # which colour
    steps: np.ndarray  # (S,)
    middle: np.ndarray  # (S,)
    low: np.ndarray | None = None  # (S,)
    high: np.ndarray | None = None  # (S,)

    def thinned(self) -> Line:
        """Return the line with no more points than a chart can show, its ends among them."""
        kept = np.unique(np.linspace(0, len(self.steps) - 1, min(len(self.steps), MAX_POINTS)).round().astype(int))
        low, high = (None if end is None else end[kept] for end in (self.low, self.high))
        return Line(self.series, self.steps[kept], self.middle[kept], low, high)


def curve_chart(
    lines: Sequence[Line], label: str, share: bool, size: tuple[float, float] = (4.4, 2.7), axis: str = ""
) -> str:
    """Draw lines into one chart -> SVG. ``share`` says that values lie in [0, 1]; ``label`` tells what it shows."""

    def draw(axes: Axes) -> None:
        for line in (line.thinned() for line in lines):
            colour = SERIES[line.series % len(SERIES)]
            if line.low is not None and line.high is not None:
                axes.fill_between(line.steps, line.low, line.high, color=colour, alpha=0.18, linewidth=0)
            dash = DASHES[line.series % len(DASHES)]
            alone = "o" if len(line.steps) == 1 else None
            axes.plot(line.steps, line.middle, color=colour, linewidth=1.6, linestyle=dash, marker=alone)
        _measure(axes, share)
        dress(axes, axis)

    return as_svg(draw, label, size)


def as_svg(draw: Callable[[Axes], None], label: str, size: tuple[float, float]) -> str:
    """Have ``draw`` fill a chart of so many inches -> SVG for a page, named ``label``."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # Every chart of a page has marks of its own, or the first one's clip paths would cut all others.
    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": label,
        "font.family": "sans-serif",
        "font.size": 8.0,
    }
    with rc_context(style):
        figure = Figure(figsize=size, dpi=72, layout="constrained")  # SVG's own, so that what is measured is drawn
        canvas = FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        out = io.StringIO()
        canvas.print_svg(out, metadata={"Date": None, "Creator": None})
    return _for_page(out.getvalue(), label)


def _measure(axes: Axes, share: bool) -> None:
    from matplotlib.ticker import EngFormatter, MaxNLocator

    if share:
        axes.set_ylim(-0.03, 1.03)
        axes.set_yticks([0.0, 0.5, 1.0], ["0", ".5", "1"])
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))


def dress(axes: Axes, axis: str) -> None:
    """Give a chart the look of all of them; ``axis`` is what stands below it."""
    axes.set_xlabel(axis, color=INK)
    axes.grid(color=INK, alpha=0.12, linewidth=0.6)
    axes.tick_params(colors=INK, length=2)
    for side, line in axes.spines.items():
        line.set_visible(side in ("left", "bottom"))
        line.set_color(INK)
    axes.patch.set_visible(False)
    axes.figure.patch.set_visible(False)


def standing_alone(svg: str) -> str:
    """Return a page's chart as a file of its own: dark on white, whatever it is shown on."""
    for number, colour in enumerate(COLOURS, 1):
        svg = svg.replace(f"var(--s{number})", colour)
    white = '<rect width="100%" height="100%" fill="#ffffff"/>'
    return svg.replace("currentColor", PRINTED).replace(">", f">{white}", 1) + "\n"


def _for_page(svg: str, label: str) -> str:
    """Cut an SVG file down to what stands in a page, named for those who do not see it, its colours the page's."""
    from html import escape

    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", svg)  # matplotlib's own names, the same in every chart
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)
    svg = svg.replace(INK, "currentColor")
    for number, colour in enumerate(SERIES, 1):
        svg = svg.replace(colour, f"var(--s{number})")
    return re.sub(r"\s*\n\s*", " ", svg)
