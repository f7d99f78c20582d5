"""Every test: those that take minutes, a browser or the first command's runs are left out unless asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

ASKED_FOR = {
    "slow": "which take minutes",
    "browser": "which open pages in headless Chromium",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags that run what is left out otherwise."""
    for marker, words in ASKED_FOR.items():
        parser.addoption(f"--run-{marker}", action="store_true", help=f"run the tests marked {marker}, {words}")
    parser.addoption("--first-command", type=Path, metavar="RUNS", help="check what python -m mtrl.train left in RUNS")


@pytest.fixture
def first_command(request: pytest.FixtureRequest) -> Path:
    """The folder of runs that ``python -m mtrl.train``, with nothing given, has trained."""
    runs: Path | None = request.config.getoption("--first-command")
    if runs is None:
        pytest.skip("needs --first-command=RUNS, with the runs of python -m mtrl.train")
    return runs


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip those tests unless they were asked for; then, what they need and is missing makes them fail."""
    for marker, words in ASKED_FOR.items():
        if config.getoption(f"--run-{marker}"):
            continue
        for item in items:
            if marker in item.keywords:
                item.add_marker(pytest.mark.skip(reason=f"{words.removeprefix('which ')}; run with --run-{marker}"))
