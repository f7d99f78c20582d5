"""Defaults of a run that begins from another: how long it plays before it learns, and its baseline, from scratch."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mtrl.config.continued import MAX_WARM_UP, continued
from mtrl.config.defaults import baseline_config, default_config
from mtrl.runs.folder import RESULT


@pytest.mark.parametrize(("before", "after"), [(5_000, MAX_WARM_UP), (100, 100)])
def test_a_trained_agent_plays_few_steps_and_its_baseline_those_of_the_table(
    tmp_path: Path, before: int, after: int
) -> None:
    (tmp_path / RESULT).write_text("{}")
    told = dataclasses.replace(default_config("tabletop", "care"), random_steps=before, baseline="single-task")
    config = continued(tmp_path, told, None, {}, {})
    assert config.random_steps == after
    alone = baseline_config(config)
    assert alone.from_run is None
    assert alone.random_steps == default_config("tabletop", "single-task").random_steps
    assert baseline_config(dataclasses.replace(config, random_steps=2_000)).random_steps == 2_000
