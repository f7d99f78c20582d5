"""A headless Chromium that can reach nothing but this machine, and what it saw: elements, errors, requests."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

HERE = "127.0.0.1"
INSTALL = "apt-get install -y chromium chromium-driver fonts-dejavu-core && pip install -e '.[test]'"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    # A page that asks for anything elsewhere gets no answer, and its request is still in the log.
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HERE}",
)
# Schemes without a network; Chromium asks itself for its first tab, if it is slow to be told another page.
OWN = ("", "data", "blob", "about", "chrome", "chrome-extension", "chrome-untrusted", "devtools", "file")
# TensorBoard's pages are made of web components: what they hold stands in shadow roots, which CSS does not enter.
FIND = """
const [selector, attribute] = arguments, found = [];
function walk(root) {
  found.push(...root.querySelectorAll(selector));
  for (const one of root.querySelectorAll('*')) if (one.shadowRoot) walk(one.shadowRoot);
}
walk(document);
"""
COUNT = FIND + "return found.filter(one => one.getClientRects().length).length;"
TEXT = (
    FIND
    + """
function words(node) {
  if (node.nodeType == Node.TEXT_NODE) return node.textContent;
  if (['STYLE', 'SCRIPT', 'TEMPLATE'].includes(node.tagName)) return '';
  return [...(node.shadowRoot ? node.shadowRoot.childNodes : []), ...node.childNodes].map(words).join(' ');
}
return found.filter(one => one.getClientRects().length).map(one => words(one).replace(/\\s+/g, ' ').trim());
"""
)
ATTRIBUTE = FIND + "return found.map(one => one.getAttribute(attribute));"


class Browser:
    """One window: opens pages, looks through shadow roots, and keeps what went wrong and what was asked for."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self._messages: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []

    def open(self, url: str) -> None:
        """Load a page anew, also where only what stands after its # differs from the one that is open."""
        self.driver.get("about:blank")
        self.driver.get(url)

    def count(self, selector: str) -> int:
        """Return how many elements that fit a CSS selector are shown; no selector reaches across a shadow root."""
        return int(self.driver.execute_script(COUNT, selector))

    def texts(self, selector: str) -> list[str]:
        """Return the text of each element that fits a CSS selector and is shown, that of shadow roots within too."""
        return list(self.driver.execute_script(TEXT, selector))

    def attributes(self, selector: str, name: str) -> list[str | None]:
        """Return an attribute of each element that fits a CSS selector."""
        return list(self.driver.execute_script(ATTRIBUTE, selector, name))

    def wait_for(self, selector: str, least: int = 1, seconds: float = 60.0) -> int:
        """Wait until so many elements are shown -> how many. Raises ``TimeoutError``, with what the page says."""
        end = time.monotonic() + seconds
        while (found := self.count(selector)) < least:
            if time.monotonic() > end:
                said = " ".join(self.driver.find_element("tag name", "body").text.split())[:500]
                raise TimeoutError(f"{found} of {least} {selector!r} after {seconds:.0f} s; the page says: {said}")
            time.sleep(0.2)
        return found

    def wait_for_words(self, selector: str, *words: str, seconds: float = 60.0) -> None:
        """Wait until the elements say all of these words. Raises ``TimeoutError`` with those that are missing."""
        end = time.monotonic() + seconds
        while missing := [word for word in words if word not in " ".join(self.texts(selector))]:
            if time.monotonic() > end:
                raise TimeoutError(f"{selector!r} does not say {missing} after {seconds:.0f} s")
            time.sleep(0.2)

    def picture(self, path: Path) -> None:
        """Write what the window shows as PNG."""
        self.driver.save_screenshot(str(path))

    def severe(self) -> list[str]:
        """Return the console's errors so far, uncaught exceptions and failed requests among them.

        A message reaches the driver some time after the page wrote it, and none overtakes another: a mark is written,
        and the log read until the mark is in it. Raises ``TimeoutError`` where it does not come.
        """
        mark = f"mark after {len(self._messages)} messages"
        self.driver.execute_script("console.info(arguments[0]);", mark)
        end = time.monotonic() + 10.0
        while not any(mark in str(one["message"]) for one in self._messages):
            if time.monotonic() > end:
                raise TimeoutError("the console's log did not come within 10 s")
            self._messages += self.driver.get_log("browser")
        return [str(one["message"]) for one in self._messages if one["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        """Return every address asked for so far, web sockets too."""
        lines = self.driver.get_log("performance")
        self._events += [json.loads(line["message"])["message"] for line in lines]
        asked = [
            one["params"]["request"]["url"] for one in self._events if one["method"] == "Network.requestWillBeSent"
        ]
        return asked + [one["params"]["url"] for one in self._events if one["method"] == "Network.webSocketCreated"]

    def hosts(self) -> set[str]:
        """Return the hosts asked so far; one's own page, data and blobs are none."""
        split = [urlsplit(url) for url in self.requests()]
        return {url.hostname or url.scheme for url in split if url.scheme not in OWN}


def missing() -> list[str]:
    """Return what of chromium, chromedriver and selenium is not here."""
    programs = [name for name, path in (("chromium", chromium()), ("chromedriver", driver())) if path is None]
    return programs + ([] if find_spec("selenium") else ["selenium"])


def chromium() -> str | None:
    """Return the path of Chromium, whatever it is called."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def driver() -> str | None:
    """Return the path of its driver."""
    return shutil.which("chromedriver")


@contextmanager
def browser(width: int = 1500, height: int = 1400) -> Iterator[Browser]:
    """Start Chromium with a window of so many pixels and a profile of its own; both are gone afterwards.

    Raises ``RuntimeError`` where something is missing, with the line that installs it.
    """
    if gone := missing():
        raise RuntimeError(f"{', '.join(gone)} not found; install: {INSTALL}")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium()
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(flag)
        # With the driver's path given, Selenium looks for none in the network.
        window = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver()))
        try:
            yield Browser(window)
        finally:
            window.quit()
