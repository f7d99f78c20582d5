"""The report as a person sees it: drawn, on a wide screen and a phone, in light and dark, on paper, out of one file."""

from __future__ import annotations

from collections.abc import Iterator

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


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("report")
    for agent, best in (("care", 0.9), ("mtsac", 0.7), ("single-task", 0.5)):
        for seed in range(3):
            scores = {f"task-with-a-long-name-{k}": best - 0.02 * seed - 0.03 * k for k in range(10)}
            curves = {task: [0.1, score / 2, score, score] for task, score in scores.items()}
            make_run(root / "runs", agent, seed, scores, curves)
    assert report.main([str(root / "runs"), "--out", str(root / "r.html")]) == 0
    return (root / "r.html").as_uri()


@pytest.fixture(params=[1300, 390], ids=["screen", "phone"])
def window(request: pytest.FixtureRequest, page: str) -> Iterator[Browser]:
    with browser() as one:
        metrics = {"width": request.param, "height": 900, "deviceScaleFactor": 1, "mobile": request.param < 600}
        one.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        one.open(page)
        yield one


def test_it_is_drawn_without_an_error_or_a_request_and_fits_the_window(window: Browser) -> None:
    assert window.texts("h1") == ["Did learning together help?"]
    assert window.count(".answers section") == 3
    assert window.count("figure svg") == 11  # all tasks together, and each of ten
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
