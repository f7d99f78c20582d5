"""The one check of values: types, words, ranges and text, for a command line and for a file alike."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Literal

import pytest

from agents.registry.facts import setting
from mtrl.config.checks import check_values
from mtrl.config.defaults import default_config
from mtrl.config.values import check_fields
from mtrl.errors import UsageError
from mtrl.runs.folder import read_run


@dataclasses.dataclass(frozen=True)
class Values:
    """A field of every kind."""

    number: int = 1
    share: float = setting(0.5, gt=0, le=1)
    maybe: int | None = None
    flag: bool = False
    word: Literal["one", "two"] = "one"
    text: str = "a"
    path: Path = Path()
    texts: tuple[str, ...] = ()
    widths: tuple[int, ...] = setting((1,), ge=1, unit="widths")
    own: Any = None


@pytest.mark.parametrize(
    "given",
    [{}, {"share": 1}, {"maybe": 3}, {"word": "two"}, {"texts": ("a", "é")}, {"own": Ellipsis}, {"path": Path("a b")}],
    ids=str,
)
def test_values_of_their_fields_types_are_taken(given: dict[str, Any]) -> None:
    check_fields(Values(**given))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"number": 1.5}, "--number is 1.5; it must be a whole number"),
        ({"number": True}, "--number is True; it must be a whole number"),
        ({"number": None}, "--number is None; it must be a whole number"),
        ({"share": "much"}, "--share is 'much'; it must be a number"),
        ({"share": 2}, "--share is 2; it must be above 0 and at most 1"),
        ({"maybe": "x"}, "--maybe is 'x'; it must be a whole number"),
        ({"flag": 1}, "--flag is 1; it must be true or false"),
        ({"word": "three"}, "--word is 'three'; it may be one or two"),
        ({"word": ["one"]}, "--word is ['one']; it may be one or two"),
        ({"text": 3}, "--text is 3; it must be a string"),
        (
            {"text": "a\x1b[1m"},
            r"--text is 'a\x1b[1m'; it has the character '\x1b', which cannot be shown; leave it out",
        ),
        ({"path": "x"}, "--path is 'x'; it must be a path"),
        ({"path": Path("a\0")}, r"--path is 'a\x00'; it has the character '\x00', which cannot be shown; leave it out"),
        ({"texts": (1,)}, "--texts is 1; it must be a list, each a string"),
        ({"texts": "push"}, "--texts is 'push'; it must be a list, each a string"),
        ({"widths": (-3,)}, "--widths is -3; give widths of at least 1"),
        ({"widths": 3}, "--widths is 3; it must be a list, each a whole number"),
    ],
    ids=str,
)
def test_another_value_is_named_with_its_flag_and_with_what_it_may_be(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as error:
        check_fields(Values(**given))
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("field", "value"),
    [("seed", 10**40), ("tasks", [1]), ("env_timeout", -1), ("device", "a\0"), ("recipe", "none"), ("baseline", "ppo")],
)
def test_a_file_gets_the_check_of_the_command_line(tmp_path: Path, field: str, value: Any) -> None:
    values = {**default_config("tabletop", "care").to_json(), field: value}
    (tmp_path / "config.json").write_text(json.dumps(values))
    with pytest.raises(UsageError, match=f"--{field.replace('_', '-')} is ") as error:
        read_run(tmp_path)
    assert str(tmp_path / "config.json") in str(error.value)


@pytest.mark.parametrize(
    ("setting_", "value"), [("hidden", [-3]), ("network", "foo"), ("initial_temperature", -1), ("encoders", 10**9)]
)
def test_the_settings_of_a_files_agent_get_it_too(tmp_path: Path, setting_: str, value: Any) -> None:
    values = default_config("tabletop", "care").to_json()
    (tmp_path / "config.json").write_text(json.dumps({**values, "settings": {**values["settings"], setting_: value}}))
    with pytest.raises(UsageError, match=f"--{setting_.replace('_', '-')} is "):
        read_run(tmp_path)


def test_a_file_may_name_a_tracker_that_is_not_installed_here() -> None:
    check_values(dataclasses.replace(default_config("tabletop", "care"), track="wandb"))
