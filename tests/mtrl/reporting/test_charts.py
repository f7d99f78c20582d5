"""Curves as SVG: the right points, the page's colours, nothing that reaches outside or breaks out."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np

from mtrl.reporting.charts import CurveLine, curve_chart

STEPS = np.array([0.0, 1000.0, 2000.0])


def line(series: int, values: object) -> CurveLine:
    middle = np.asarray(values, dtype=np.float64)
    return CurveLine(series, STEPS[: len(middle)], middle, middle - 0.1, middle + 0.1)


def test_a_long_line_is_thinned_and_keeps_its_ends() -> None:
    steps = np.arange(5000.0)
    thin = CurveLine(3, steps, steps / 5000, steps - 1, steps + 1).thinned()
    assert thin.series == 3
    assert len(thin.steps) == 120
    assert (thin.steps[0], thin.steps[-1]) == (0, 4999)
    assert thin.middle.tolist() == (thin.steps / 5000).tolist()
    assert thin.low is not None
    assert thin.high is not None
    assert (thin.high - thin.low).tolist() == [2.0] * 120


def test_a_line_without_an_interval_has_no_band() -> None:
    banded, bare = line(0, [0.0, 0.5, 1.0]), CurveLine(0, STEPS, STEPS / 2000)
    assert "opacity: 0.18" in curve_chart([banded], "x", share=True)
    assert "opacity: 0.18" not in curve_chart([bare], "x", share=True)


def lines_of(svg: str, series: int) -> list[list[tuple[float, float]]]:
    """The points of the lines that are drawn in a series' colour."""
    paths = [e for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("path")]
    drawn = [p.get("d", "") for p in paths if f"stroke: var(--s{series})" in p.get("style", "")]
    return [[(float(x), float(y)) for x, y in re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", d)] for d in drawn]


def test_a_higher_value_stands_higher_and_colours_are_the_pages() -> None:
    svg = curve_chart([line(0, [0.0, 0.5, 1.0]), line(1, [1.0, 0.5, 0.0])], "all", share=True)
    (up,), (down,) = lines_of(svg, 1), lines_of(svg, 2)
    assert up[0][1] > up[1][1] > up[2][1]  # SVG counts from above
    assert [y for _, y in down] == [y for _, y in reversed(up)]
    assert up[1] == down[1]
    assert not re.search(r"#0000\w\w|#0a0b0c", svg)
    assert "currentColor" in svg


def test_it_is_named_and_holds_no_markup_of_the_users() -> None:
    svg = curve_chart([line(0, np.zeros(3))], 'a "task" <script>alert(1)</script>', share=True)
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == 'a "task" <script>alert(1)</script>'
    assert "<script" not in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")


def test_charts_of_one_page_share_no_names() -> None:
    def names(svg: str) -> set[str]:
        return {e.get("id") for e in ElementTree.fromstring(svg).iter() if e.get("id")}  # type: ignore[misc]

    first, second = (curve_chart([line(0, np.ones(3))], label, share=True) for label in ("a", "b"))
    assert names(first)
    assert not names(first) & names(second)


def test_one_evaluation_is_a_point() -> None:
    svg = curve_chart([line(0, [0.5])], "x", share=False)
    assert "<use" in svg
