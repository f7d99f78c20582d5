"""The reference has every public name, and tables of flags that are those of the commands."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from typing import Any

import pytest

import mtrl
from mtrl.evaluate import EvaluateConfig
from tests.docs.conftest import PAGES, module_at

REFERENCE = {page: text for page, text in PAGES.items() if page.startswith("docs/reference/")}
MARKS = [mark for text in REFERENCE.values() for mark in re.findall(r"<!-- flags: (\S+)(?: (\S+))? -->", text)]


@pytest.fixture(scope="module")
def hook() -> Any:
    """What MkDocs makes the tables with."""
    return module_at("docs/hooks/flags.py")


def test_every_public_name_has_a_place_in_the_reference() -> None:
    named = Counter(name for text in REFERENCE.values() for name in re.findall(r"^::: mtrl\.(\w+)$", text, re.M))
    assert named == Counter(name for name in mtrl.__all__ if name != "__version__")


def test_the_table_of_a_command_has_its_flags_with_words_and_defaults(hook: Any) -> None:
    rows = hook.table("mtrl.evaluate.EvaluateConfig").splitlines()[2:]
    assert len(rows) == len(dataclasses.fields(EvaluateConfig))
    assert rows[0].startswith("| `RUN`<br>required | A run folder")
    assert "| `--device`<br>`auto` | Device: auto (a GPU if there is one), cpu or cuda. |" in rows
    assert any(row.startswith("| `--trust`, `--no-trust`<br>`False` | Allow importing") for row in rows)


def test_a_suites_own_defaults_stand_below(hook: Any) -> None:
    rows = hook.table("mtrl.config.train_config.TrainConfig", "tabletop").splitlines()
    assert "| `--steps-per-task`<br>`100000`<br>tabletop: `80000` | Environment steps per task. |" in rows
    assert any(row.startswith("| `--seed`<br>`0` |") for row in rows)


@pytest.mark.parametrize(("path", "suite"), MARKS)
def test_every_mark_becomes_a_table(hook: Any, path: str, suite: str) -> None:
    page = hook.on_page_markdown(f"<!-- flags: {path}{suite and ' ' + suite} -->")
    rows = page.splitlines()[2:]
    assert rows
    assert all(len(row.split("|")[2].split()) >= 2 for row in rows)


def test_every_piece_that_has_settings_has_a_table(hook: Any) -> None:
    page = hook.on_page_markdown("<!-- pieces: tabletop -->")
    assert "`--penalty l2`, half the sum of squares of the weights:\n\n| flag, default |" in page
    assert "| `--encoders`<br>`4` |" in page
    assert "<!--" not in page


def test_a_class_that_moved_is_named(hook: Any) -> None:
    with pytest.raises(LookupError, match=r"mtrl\.evaluate\.Nothing is no dataclass"):
        hook.table("mtrl.evaluate.Nothing")
