"""What every test shares: those that take minutes or a browser run only when asked for."""

from __future__ import annotations

import pytest

ASKED_FOR = {
    "slow": "which take minutes",
    "browser": "which open pages in headless Chromium",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags that run what is left out otherwise."""
    for marker, words in ASKED_FOR.items():
        parser.addoption(f"--run-{marker}", action="store_true", help=f"run the tests marked {marker}, {words}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip those tests unless they were asked for; then, what they need and is missing makes them fail."""
    for marker, words in ASKED_FOR.items():
        if config.getoption(f"--run-{marker}"):
            continue
        for item in items:
            if marker in item.keywords:
                item.add_marker(pytest.mark.skip(reason=f"{words.removeprefix('which ')}; run with --run-{marker}"))
