"""The browser itself: it sees through shadow roots, keeps errors and requests, and reaches nothing but this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.browser import Browser, browser

pytestmark = pytest.mark.browser
PAGE = """
<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><p>plain</p>
<p hidden>not shown</p><div id="host"></div>
<script>document.getElementById('host').attachShadow({mode: 'open'}).innerHTML = '<p title="deep">inside</p>';</script>
"""


@pytest.fixture
def window() -> Iterator[Browser]:
    with browser() as one:
        yield one


def opened(window: Browser, path: Path, text: str) -> Browser:
    (path / "page.html").write_text(text)
    window.open((path / "page.html").as_uri())
    return window


def test_elements_in_shadow_roots_are_found_and_hidden_ones_are_not(window: Browser, tmp_path: Path) -> None:
    opened(window, tmp_path, PAGE)
    assert window.wait_for("p", 2) == 2
    assert window.texts("p") == ["plain", "inside"]
    assert window.texts("#host") == ["inside"]
    assert window.attributes("p", "title") == [None, None, "deep"]
    assert window.severe() == []
    assert window.hosts() == set()
    with pytest.raises(TimeoutError, match=r"0 of 1 'table'.*plain"):
        window.wait_for("table", seconds=0.5)


def test_errors_of_scripts_are_kept(window: Browser, tmp_path: Path) -> None:
    opened(window, tmp_path, PAGE + "<script>undefinedName()</script>")
    (message,) = window.severe()
    assert "undefinedName" in message
    assert window.severe() == [message]


def test_a_request_elsewhere_is_seen_and_does_not_get_through(window: Browser, tmp_path: Path) -> None:
    opened(window, tmp_path, PAGE + '<img src="http://example.com/a.png">')
    assert window.hosts() == {"example.com"}
    assert any("example.com" in message for message in window.severe())
