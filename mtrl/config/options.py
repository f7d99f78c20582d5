"""Metadata of a run's options beyond that of any setting: what a different value would change."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, TypeVar

from agents.registry.facts import setting

T = TypeVar("T")
Changes = Literal["agent", "run", "nothing"]
CHANGES = "changes"  # its key in a field's metadata


def option(default: T, *, changes: Changes, **facts: Any) -> T:
    """Return a field of ``TrainConfig`` with a default, the ``facts`` of ``setting``, and what a different value makes.

    - agent: a different agent, so that comparisons distinguish runs that differ in it;
    - run: a different run of the same agent: its seed, its machine, or what all runs of a comparison share;
    - nothing: the same run, stored elsewhere, faster or slower, logged more or less often, or with another baseline.
    """
    made: Any = setting(default, **facts)
    return dataclasses.field(default=default, metadata={**made.metadata, CHANGES: changes})


def options_changing(config: Any, *changes: Changes) -> dict[str, Any]:
    """Return the options of a ``TrainConfig`` that change one of ``changes``, by name, including agent settings."""
    fields = [field for field in dataclasses.fields(config) if field.metadata[CHANGES] in changes]
    values = {field.name: getattr(config, field.name) for field in fields if field.name != "settings"}
    return {**values, **(dataclasses.asdict(config.settings) if "agent" in changes else {})}
