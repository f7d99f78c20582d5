"""Curves for the report, drawn by matplotlib as SVG that takes its colours from the surrounding page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#0a0b0c"  # placeholder for the page's text colour, so that a chart follows light and dark mode
COLOURS = ("#0b62a8", "#c2500a", "#0a8465", "#a8488b", "#8a6d00", "#2b8fc4", "#6a4fbf", "#7c5145")  # on white
SERIES = tuple(f"#0000{k:02x}" for k in range(1, 1 + len(COLOURS)))  # placeholders for the page's --s1 to --s8
TEXT_COLOUR = "#1b1f24"  # outside a page
DASHES: tuple[Any, ...] = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))  # distinguishable in greyscale
MAX_POINTS = 120


@dataclass(frozen=True)
class CurveLine:
    """A learning curve: values over steps per task, with an optional interval."""

    series: int  # which colour
    steps: np.ndarray  # (S,)
    middle: np.ndarray  # (S,)
    low: np.ndarray | None = None  # (S,)
    high: np.ndarray | None = None  # (S,)

    def thinned(self) -> CurveLine:
        """Return the line with at most ``MAX_POINTS`` points, including its ends."""
        kept = np.unique(np.linspace(0, len(self.steps) - 1, min(len(self.steps), MAX_POINTS)).round().astype(int))
        low, high = (None if end is None else end[kept] for end in (self.low, self.high))
        return CurveLine(self.series, self.steps[kept], self.middle[kept], low, high)


def curve_chart(
    lines: Sequence[CurveLine], label: str, share: bool, size: tuple[float, float] = (4.4, 2.7), axis: str = ""
) -> str:
    """Draw lines into one chart, and return it as SVG. ``share``: values lie in [0, 1]; ``label`` describes it."""

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
    """Let ``draw`` fill a chart of ``size`` inches; return it as SVG for a page, with the description ``label``."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # Ids must differ between the charts of a page, or the first one's clip paths would apply to all others.
    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": label,
        "font.family": "sans-serif",
        "font.size": 8.0,
    }
    with rc_context(style):
        figure = Figure(figsize=size, dpi=72, layout="constrained")  # SVG's dpi, so that measured sizes are exact
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
    """Apply the common style of charts; ``axis`` is the label below."""
    axes.set_xlabel(axis, color=INK)
    axes.grid(color=INK, alpha=0.12, linewidth=0.6)
    axes.tick_params(colors=INK, length=2)
    for side, line in axes.spines.items():
        line.set_visible(side in ("left", "bottom"))
        line.set_color(INK)
    axes.patch.set_visible(False)
    axes.figure.patch.set_visible(False)


def standalone_svg(svg: str) -> str:
    """Return a page's chart as the content of a separate file: dark on white."""
    for number, colour in enumerate(COLOURS, 1):
        svg = svg.replace(f"var(--s{number})", colour)
    white = '<rect width="100%" height="100%" fill="#ffffff"/>'
    return svg.replace("currentColor", TEXT_COLOUR).replace(">", f">{white}", 1) + "\n"


def _for_page(svg: str, label: str) -> str:
    """Reduce an SVG file to an element of a page, with a description for screen readers and the page's colours."""
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
