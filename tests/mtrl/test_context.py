"""What an agent is to read of its tasks, as the command line takes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mtrl import train
from tests.mtrl.conftest import read_json
from tests.mtrl.holding import HOLDING, SMALL, trained

Refused = Callable[..., str]


@pytest.fixture(autouse=True)
def _suites(plug_in: Callable[..., str]) -> None:
    plug_in(HOLDING, "holding_suite")


@pytest.mark.parametrize("kind", ["text", "numbers", "learned", "onehot", "text+learned", "text+numbers+learned"])
def test_a_run_trains_with_every_kind_of_context(tmp_path: Path, kind: str) -> None:
    path = trained(tmp_path / "runs", *SMALL, "--context", kind)
    config = read_json(path / "config.json")
    assert config["settings"]["context"] == kind
    assert (config["context_source"] == "none") == ("text" not in kind)
    assert read_json(path / "result.json")["updates"] > 0


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--context", "txet"], ["--context is 'txet'", "Did you mean 'text'?"]),
        (["--context", "text+lerned"], ["--context is 'text+lerned'", "Did you mean 'learned'?"]),
        (["--context", "text,numbers"], ["--context is 'text,numbers'", "joined by '+'"]),
        (["--suite", "holding_suite:plain", "--context", "numbers"], ["'numbers'", "'holding'", "no task", "use text"]),
        (["--suite", "holding_suite:broken", "--context", "txet"], ["--context is 'txet'"]),  # before it is made
        (["--agent", "mtsac", "--context", "text"], ["--context"]),
    ],
)
def test_a_context_that_cannot_be_is_refused_before_anything_is_written(
    refused: Refused, tmp_path: Path, arguments: list[str], parts: list[str]
) -> None:
    line = refused(train.main, "--suite", "holding_suite:suite", *arguments, "--runs-dir", tmp_path / "runs")
    assert [part for part in parts if part not in line] == [], line
    assert not (tmp_path / "runs").exists()
