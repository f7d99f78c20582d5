"""The chart of score against cost: points where they belong, names, the front, axes that do not mislead."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from mtrl.comparison.statistics import Estimate
from mtrl.reporting.charts import standalone_svg
from mtrl.reporting.cost_chart import Point, cost_chart, heights, limits, marks

CHEAP = Point(0, "cheap", 100.0, Estimate(0.5, 0.4, 0.6), True)
DEAR = Point(1, "dear", 1000.0, Estimate(0.7, 0.65, 0.75), True)
BEATEN = Point(2, "beaten", 500.0, Estimate(0.45), False)


def drawn(*points: Point) -> str:
    return cost_chart(points, "a chart", "seconds", "score", share=True)


def elements(svg: str, tag: str) -> list[ElementTree.Element]:
    return [one for one in ElementTree.fromstring(svg).iter() if one.tag.endswith(f"}}{tag}")]


def mark_of(svg: str, series: int) -> tuple[float, float, str]:
    """Where an agent's mark is, and how it is filled."""
    (own,) = [one for one in elements(svg, "use") if f"stroke: var(--s{series})" in one.get("style", "")]
    return float(own.get("x", "")), float(own.get("y", "")), own.get("style", "")


def test_what_costs_more_is_to_the_right_and_what_scores_more_is_above() -> None:
    svg = drawn(CHEAP, DEAR, BEATEN)
    (x1, y1, _), (x2, y2, _), (x3, y3, _) = (mark_of(svg, series) for series in (1, 2, 3))
    assert x1 < x3 < x2
    assert y3 > y1 > y2  # SVG counts from above
    # A factor is a length: 100 to 500 is log 5, 100 to 1000 log 10.
    assert (x3 - x1) / (x2 - x1) == pytest.approx(0.69897, abs=1e-3)


def test_agents_of_the_front_are_filled_and_bold_and_the_others_are_not() -> None:
    svg = drawn(CHEAP, DEAR, BEATEN)
    styles = {one.text: one.get("style", "") for one in elements(svg, "text")}
    for series, point in enumerate((CHEAP, DEAR, BEATEN), 1):
        assert (f"fill: var(--s{series})" in mark_of(svg, series)[2]) is point.ahead
        assert bool(re.search(r"\b(bold|700)\b", styles[point.name])) is point.ahead


def test_a_score_without_an_interval_is_a_point_alone() -> None:
    assert BEATEN.ends == (0.45, 0.45)
    assert CHEAP.ends == (0.4, 0.6)
    alike = replace(BEATEN, ahead=True)
    assert heights([alike, alike]) == (pytest.approx(0.35), pytest.approx(0.55))
    assert mark_of(drawn(alike), 3)


def test_axes_and_chart_are_named_and_a_name_is_text() -> None:
    svg = drawn(CHEAP, replace(DEAR, name="$x$ <script>"))
    texts = [one.text for one in elements(svg, "text")]
    assert {"seconds", "score", "cheap", "$x$ <script>"} <= {*texts}
    assert ElementTree.fromstring(svg).get("aria-label") == "a chart"
    assert "<script" not in svg


def test_a_long_name_loses_its_middle_and_names_that_differ_stay_different() -> None:
    names = [f"my_module_of_methods:method_{k}_of_mine" for k in range(2)]
    svg = drawn(*(replace(point, name=name) for point, name in zip((CHEAP, DEAR), names, strict=True)))
    short = [one.text for one in elements(svg, "text") if one.text and "…" in one.text]
    assert len({*short}) == 2
    assert all(len(name) <= 26 for name in short)


def test_small_differences_of_cost_are_not_stretched_over_the_axis() -> None:
    low, high = limits([100.0, 110.0])
    assert high / low == pytest.approx(5.0)
    assert low * high == pytest.approx(100.0 * 110.0)  # in the middle
    low, high = limits([10.0, 1000.0])
    assert (low, high) == (pytest.approx(10 / 100**0.08), pytest.approx(1000 * 100**0.08))


@pytest.mark.parametrize(
    ("ends", "found"),
    [
        ((1.01, 5.05), [1.5, 2, 3, 5]),
        ((56, 400), [70, 100, 150, 200, 300]),
        ((50_000, 1_000_000), [50_000, 100_000, 200_000, 500_000, 1_000_000]),
        ((3, 4000), [10, 100, 1000]),
    ],
)
def test_an_axis_is_marked_with_a_few_round_numbers(ends: tuple[float, float], found: list[float]) -> None:
    assert marks(*ends) == pytest.approx(found)


def test_an_interval_much_wider_than_the_means_are_apart_runs_off_the_chart() -> None:
    """Means .5 and .7: the axis ends .2 beyond them at most, and a little room."""
    wide = replace(CHEAP, score=Estimate(0.5, 0.0, 1.0))
    low, high = heights([wide, DEAR])
    assert (low, high) == (pytest.approx(0.3 - 0.08 * 0.6), pytest.approx(0.9 + 0.08 * 0.6))
    assert heights([CHEAP, DEAR]) == (pytest.approx(0.4 - 0.08 * 0.35), pytest.approx(0.75 + 0.08 * 0.35))


def test_as_a_file_of_its_own_it_needs_no_page() -> None:
    svg = standalone_svg(drawn(CHEAP, DEAR))
    assert not re.search(r"var\(|currentColor", svg)
    assert next(iter(ElementTree.fromstring(svg))).tag.endswith("}rect")  # white below all of it
    assert mark_of(svg.replace("#0b62a8", "var(--s1)"), 1)[0] > 0
