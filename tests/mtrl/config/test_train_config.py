"""The configuration: its way to JSON and back."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from agents.registry.compose import SLOTS, settings_type
from agents.registry.presets import PRESETS
from mtrl.config import TrainConfig
from mtrl.config.defaults import default_config

CARE = default_config("tabletop", "care")


def other_value(value: Any) -> Any:
    """A value of the same kind that is not the default."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return ("push",) if not value or isinstance(value[0], str) else (*value, 3)
    return {int: 3, float: 0.123456789012345, str: "dot-product"}.get(type(value), value)


@pytest.mark.parametrize("agent", sorted(PRESETS))
def test_a_configuration_survives_json_field_by_field(agent: str) -> None:
    config = default_config("tabletop", agent)
    fields = [f.name for f in dataclasses.fields(config.settings) if f.name not in SLOTS]
    settings = {name: other_value(getattr(config.settings, name)) for name in fields}
    numbers = {f.name: 3 for f in dataclasses.fields(config) if type(getattr(config, f.name)) is int}
    changed = dataclasses.replace(
        config,
        settings=dataclasses.replace(config.settings, **settings),
        tasks=("push", "reach"),
        runs_dir=Path("a/b c"),
        **numbers,
    )
    again = TrainConfig.from_json(json.loads(json.dumps(changed.to_json())))
    assert again == changed
    assert again.settings != config.settings
    assert isinstance(again.settings, settings_type(PRESETS[agent]))
    assert isinstance(again.runs_dir, Path)


def test_a_field_that_is_not_known_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        TrainConfig.from_json({**CARE.to_json(), "colour": 1})


def test_a_configuration_cannot_be_written_to() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        CARE.seed = 1  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        CARE.settings.hidden = (1,)
