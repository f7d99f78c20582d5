"""TensorBoard on two short runs, as a person sees it: every tab holds what it promises, and nothing leaves here."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.browser import HERE, Browser, browser
from tests.mtrl.conftest import tiny

pytestmark = pytest.mark.browser
RUNS = {"tabletop/care/seed0", "tabletop/single-task/seed0"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CARE run and its baseline, trained for a few steps by the command."""
    path = tmp_path_factory.mktemp("runs")
    command = [sys.executable, "-m", "mtrl.train", *tiny(path, "--record-every", "64")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def address(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a TensorBoard that has read both runs."""
    with socket.socket() as free:
        free.bind((HERE, 0))
        port = free.getsockname()[1]
    said = tmp_path_factory.mktemp("tensorboard") / "log.txt"
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(runs), "--host", HERE, "--port", str(port)]
    with said.open("w") as file:
        server = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            base = f"http://{HERE}:{port}"
            _wait_for_runs(base, server, said)
            yield base
        finally:
            server.terminate()
            server.wait()


def _wait_for_runs(base: str, server: subprocess.Popen[bytes], said: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert server.poll() is None, said.read_text()
        try:
            tags = asked(f"{base}/data/plugin/scalars/tags")
            if tags.keys() == RUNS and all("final/success_rate" in own for own in tags.values()):
                return
        except OSError:
            pass
        time.sleep(0.3)
    raise TimeoutError(said.read_text())


def asked(url: str, body: bytes | None = None) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def page() -> Iterator[Browser]:
    """One window for all tabs, so that the last test sees what all of them asked for."""
    with browser() as window:
        yield window


def test_success_of_both_runs_is_in_the_scalars(page: Browser, address: str) -> None:
    page.open(f"{address}/#scalars&tagFilter=%5Eeval%2Fsuccess_rate%24&_smoothingWeight=0")
    page.wait_for("tf-scalar-card")
    assert page.wait_for("tf-line-chart-data-loader") >= 1
    shown = " ".join(page.texts("tf-scalar-card"))
    assert "eval/success_rate" in shown
    listed = " ".join(page.texts("tf-runs-selector"))
    assert all(run in listed for run in RUNS)
    for run in sorted(RUNS):
        points = asked(f"{address}/data/plugin/scalars/scalars?run={run.replace('/', '%2F')}&tag=eval%2Fsuccess_rate")
        assert [step for _, step, _ in points] == [32, 64]


def test_time_series_opens_on_success(page: Browser, address: str) -> None:
    page.open(address)
    page.wait_for("scalar-card .tag", 4)
    shown = [tag.replace(" ", "") for tag in page.texts("scalar-card .tag")]
    assert shown[:3] == ["eval/success_rate", "eval/success_rate/push", "eval/success_rate/reach"]
    assert shown[3].startswith("eval_detail/")


def test_the_custom_charts_are_drawn(page: Browser, address: str) -> None:
    page.open(f"{address}/#custom_scalars")
    page.wait_for("tf-custom-scalar-multi-line-chart-card", 4)
    page.wait_for("tf-custom-scalar-margin-chart-card", 2)
    page.wait_for("svg path", 4)
    interval = "95% interval over an evaluation's episodes (not over seeds)"
    page.wait_for_words("tf-category-paginated-view", "tabletop: success at any step", interval)
    told = asked(f"{address}/data/plugin/custom_scalars/layout")
    titles = ["tabletop: success at any step", "tabletop: each task", "tabletop: workings"]
    assert [category["title"] for category in told["category"]] == titles
    assert [len(category["chart"]) for category in told["category"]] == [3, 2, 2]  # once, though both runs say it
    page.wait_for_words("tf-category-paginated-view", "push: success", "reach: success")
    tag = "eval%2Fsuccess_rate%2Fpush%24"
    for run in RUNS:  # the agent and its baseline are in one chart
        found = asked(f"{address}/data/plugin/custom_scalars/scalars?run={run.replace('/', '%2F')}&tag={tag}")
        assert list(found["tag_to_events"]) == ["eval/success_rate/push"]


def test_pictures_are_shown_and_the_film_is_a_gif(page: Browser, address: str) -> None:
    page.open(f"{address}/#images")
    page.wait_for("img", 5)  # attention of one run; curves and film of both
    shown = " ".join(page.texts("tf-image-loader"))
    assert all(tag in shown for tag in ("viz/attention", "viz/curves", "viz/policy"))
    widths = page.driver.execute_script(
        """const found = []; (function walk(root) { found.push(...root.querySelectorAll('img'));
        for (const one of root.querySelectorAll('*')) if (one.shadowRoot) walk(one.shadowRoot); })(document);
        return found.map(one => one.naturalWidth);"""
    )
    assert all(width > 0 for width in widths), widths  # loaded and decoded
    run = "tabletop%2Fcare%2Fseed0"
    (film,) = asked(f"{address}/data/plugin/images/images?run={run}&tag=viz%2Fpolicy&sample=0")
    with urllib.request.urlopen(f"{address}/data/plugin/images/individualImage?{film['query']}", timeout=30) as answer:
        assert answer.headers["Content-Type"] == "image/gif"
        assert answer.read(6) == b"GIF89a"


def test_the_table_of_hyperparameters_has_a_row_a_run_with_its_final_scores(page: Browser, address: str) -> None:
    page.open(f"{address}/#hparams")
    page.wait_for("tf-hparams-table-view")
    page.wait_for_words("tf-hparams-main", "steps_per_task", "single-task", "success of the worst task")
    page.wait_for_words("vaadin-grid-cell-content", "care")  # a cell is there before its words are


def test_nothing_went_wrong_and_nothing_was_asked_of_anybody_else(page: Browser, address: str) -> None:
    """After the tabs above, in the one window that they share."""
    for tab in ("timeseries", "text"):
        page.open(f"{address}/#{tab}")
        page.wait_for({"timeseries": "card-view", "text": "tf-text-loader"}[tab])
    assert page.severe() == []
    assert len(page.requests()) > 20
    assert page.hosts() == {HERE}
