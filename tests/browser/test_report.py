"""The report as a person sees it: drawn, on a wide screen and a phone, in light and dark, on paper, out of one file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtrl import report
from tests.browser.browser import Browser, browser
from tests.mtrl.made_runs import make_run

pytestmark = pytest.mark.browser
WIDTH = "return document.documentElement.scrollWidth"
BACKGROUND = "return getComputedStyle(document.body).backgroundColor"
CURVE = """
const line = [...document.querySelectorAll('figure.main svg path')].find(p => p.style.stroke.includes('--s2'));
return [getComputedStyle(line).stroke, line.getBoundingClientRect().width];
"""


# Tables that are wider than what holds them, as they are named by their first words, and how wide both are.
CUT_OFF = """
document.querySelectorAll('details').forEach(one => one.open = true);
return [...document.querySelectorAll('table')].filter(one => one.getClientRects().length)
  .map(one => [one.innerText.slice(0, 40), one.scrollWidth, one.parentElement.clientWidth])
  .filter(([name, own, room]) => own > room);
"""
# Charts that can be seen: what a closed part holds has a place, but is not drawn.
CHARTS = "return [...document.querySelectorAll('figure svg')].filter(one => one.checkVisibility()).length"
HEADINGS = "return [...document.querySelectorAll('.heat thead th span')].map(one => one.textContent)"
LINES = """
return [...document.querySelectorAll('.answers strong')]
  .map(one => Math.round(one.getBoundingClientRect().height / parseFloat(getComputedStyle(one).lineHeight)));
"""
# Of each chart of score against cost: its names, those that cover each other or stick out, and how wide it is.
NAMES = """
return [...document.querySelectorAll('.costs svg')].map(chart => {
  const room = chart.getBoundingClientRect();
  const texts = [...chart.querySelectorAll('text')].map(one => [one.textContent, one.getBoundingClientRect()]);
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5;
  const covered = texts.filter(([, a], k) => texts.some(([, b], i) => i != k && over(a, b)));
  const out = texts.filter(([, a]) => a.left < room.left - 1 || a.right > room.right + 1);
  return [texts.map(([text]) => text), [...covered, ...out].map(([text]) => text), room.width];
});
"""
AGENTS = (("care", 0.9, {}), ("mtsac", 0.7, {}), ("mtsac", 0.8, {"hidden": (200, 200)}), ("mtmhsac", 0.7, {}))


def make_page(root: Path, tasks: list[str], groups: dict[str, str] | None = None) -> str:
    for agent, best, settings in (*AGENTS, ("single-task", 0.6, {})):
        for seed in range(3):
            scores = {task: best - 0.02 * seed - 0.01 * (k % 10) for k, task in enumerate(tasks)}
            curves = {task: [0.1, score / 2, score, score] for task, score in scores.items()}
            run = make_run(
                root / "runs", agent, seed, scores, curves, settings=settings, name=f"{settings}{seed}", groups=groups
            )
            with (run / "matrices.jsonl").open("w") as file:
                for name, columns in (("gradient_cosine", tasks), ("attention", ["enc 1", "enc 2", "enc 3", "enc 4"])):
                    values = [[(-0.25) ** (i != k) for k in range(len(columns))] for i in range(len(tasks))]
                    line = {"step": 4000, "name": name, "rows": tasks, "columns": columns, "values": values}
                    file.write(json.dumps(line) + "\n")
    assert report.main([str(root / "runs"), "--out", str(root / "r.html")]) == 0
    return (root / "r.html").as_uri()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_page(tmp_path_factory.mktemp("report"), [f"task-with-a-long-name-{k}" for k in range(10)])


def resize(window: Browser, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.fixture(params=[1300, 390], ids=["screen", "phone"])
def window(request: pytest.FixtureRequest, page: str) -> Iterator[Browser]:
    with browser() as one:
        resize(one, request.param)
        one.open(page)
        yield one


@pytest.mark.parametrize("tasks", [10, 50])
def test_no_table_is_cut_off_at_any_width_and_a_card_is_a_line(
    page: str, tasks: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if tasks > 10:
        many = [f"task-with-a-long-name-{k}" for k in range(tasks)]
        page = make_page(tmp_path_factory.mktemp("many"), many)
    with browser() as window:
        for width in (320, 360, 390, 560, 700, 710, 768, 992, 1000, 1120, 1300):
            resize(window, width)
            window.open(page)
            assert window.driver.execute_script(CUT_OFF) == [], width
            assert window.driver.execute_script(WIDTH) == width
            assert window.driver.execute_script("return innerWidth") == width
            if width >= 1000:
                assert window.driver.execute_script(LINES) == [1, 1, 1], width
        headings = window.driver.execute_script(HEADINGS)
        assert len({*headings}) == tasks + 4  # none is cut down to the same letters as another


def test_fifty_tasks_in_ten_groups_are_ten_lines_and_charts_until_a_group_is_opened(tmp_path: Path) -> None:
    groups = {f"skill-{k // 5}-in-variant-{k % 5}": f"skill-{k // 5}" for k in range(50)}
    page = make_page(tmp_path, [*groups], groups)
    with browser() as window:
        for width in (320, 768, 1300):
            resize(window, width)
            window.open(page)
            assert window.driver.execute_script(CHARTS) == 3 + 10
            assert window.count("table.heat.many") == 0
            window.driver.execute_script("document.querySelectorAll('.tasks')[3].open = true")
            assert window.driver.execute_script(CHARTS) == 3 + 10 + 5
            assert "skill-3-in-variant-2" in " ".join(window.texts(".tasks[open] h4"))
            assert window.driver.execute_script(CUT_OFF) == [], width
            assert window.driver.execute_script(WIDTH) == width
            assert window.driver.execute_script(CHARTS) == 3 + 10 + 50  # all are open now
        assert window.severe() == []


def test_fifteen_agents_are_named_beside_their_points_at_every_width(tmp_path: Path) -> None:
    """They cost and score nearly the same, so that their names have to make room for each other."""
    widths = [(8 * k, 8 * k) for k in range(17, 32)]
    for k, hidden in enumerate(widths):
        for seed in range(2):
            scores = dict.fromkeys(("reach", "push"), 0.5 + 0.003 * (7 * k % 15) + 0.02 * seed)
            facts = {"device": "cpu", "cpu_seconds": 100.0 + (4 * k) % 15}
            name, settings = f"{k}-{seed}", {"hidden": hidden}
            make_run(
                tmp_path / "runs", "mtsac", seed, scores, name=name, settings=settings, parameters=1000 + 20 * k,
                result_facts=facts,
            )  # fmt: skip
    assert report.main([str(tmp_path / "runs"), "--out", str(tmp_path / "r.html")]) == 0
    names = {f"mtsac (hidden={one}x{other})" for one, other in widths}
    with browser() as window:
        for width in (320, 390, 768, 1300):
            resize(window, width)
            window.open((tmp_path / "r.html").as_uri())
            for texts, wrong, room in window.driver.execute_script(NAMES):
                assert names <= {*texts}
                assert wrong == [], width
                assert room >= min(400, width - 40)
            assert window.driver.execute_script(WIDTH) == width


def test_it_is_drawn_without_an_error_or_a_request_and_fits_the_window(window: Browser) -> None:
    assert window.texts("h1") == ["Did learning together help?"]
    assert window.count(".answers section") == 3
    assert window.count("figure svg") == 13  # score against two costs, all tasks together, and each of ten
    inside = window.driver.execute_script("return innerWidth")
    assert window.driver.execute_script(WIDTH) <= inside
    colour, width = window.driver.execute_script(CURVE)
    assert colour == "rgb(194, 80, 10)"
    assert width > 100
    assert window.severe() == []
    assert window.hosts() == set()


def test_it_follows_dark_and_paper(window: Browser) -> None:
    assert window.driver.execute_script(BACKGROUND) == "rgb(255, 255, 255)"
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
    assert window.driver.execute_script(BACKGROUND) == "rgb(20, 24, 28)"
    assert window.driver.execute_script(CURVE)[0] == "rgb(255, 154, 92)"
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
    assert window.driver.execute_script(BACKGROUND) == "rgb(255, 255, 255)"
