"""Runs of earlier versions are read although some of their settings had another name."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.registry.settings import SACSettings
from mtrl.comparison.compare import compare
from mtrl.config import TrainConfig
from mtrl.config.defaults import default_config
from mtrl.config.renamed import PRESENT_NAMES, present_names
from mtrl.gathering.gather import gather
from mtrl.runs.folder import read_run
from mtrl.runs.reuse import same_run
from tests.mtrl.made_runs import make_run


@dataclass(frozen=True)
class Own:
    """Settings of somebody else's agent, one of them called as ours once was."""

    critics: int = 2


def with_old_names(run: Path) -> Path:
    """Write a run's settings as an earlier version would have."""
    file = run / "config.json"
    values = json.loads(file.read_text())
    old = {new: old for old, new in PRESENT_NAMES.items()}
    values["settings"] = {old.get(name, name): value for name, value in values["settings"].items()}
    file.write_text(json.dumps(values))
    return run


@pytest.mark.parametrize("encoder", ["care", "my_method:Mine"])
def test_the_settings_of_an_earlier_version_are_read_by_their_present_names(tmp_path: Path, encoder: str) -> None:
    run = make_run(tmp_path, settings={"critic_reduction": "mean", "encoder": encoder})
    expected, _ = read_run(run)
    found, _ = read_run(with_old_names(run))
    assert found.settings.critic_reduction == "mean"
    assert not hasattr(found.settings, "critics")
    assert same_run(found, expected)


def test_runs_from_before_there_were_pieces_are_read_too() -> None:
    config = default_config("tabletop", "mtsac")
    settings = dataclasses.asdict(dataclasses.replace(config.settings, critic_reduction="mean"))
    old = {"critics": settings.pop("critic_reduction"), **settings}
    for slot in ("encoder", "trunk", "aggregator", "sampler", "penalty"):
        del old[slot]
    assert TrainConfig.from_json({**config.to_json(), "settings": old}).settings.critic_reduction == "mean"


def test_runs_of_two_versions_stand_in_one_group_of_a_comparison(tmp_path: Path) -> None:
    make_run(tmp_path, seed=0)
    with_old_names(make_run(tmp_path, seed=1))
    assert [group.seeds for group in gather([tmp_path]).groups] == [(0, 1)]


def test_what_sb3_went_without_is_told_by_its_present_name(tmp_path: Path) -> None:
    make_run(tmp_path)
    make_run(tmp_path, "sb3", facts={"dropped_settings": {"critics": "mean"}})
    (note,) = [note for note in compare(gather([tmp_path])).notes if "does not support" in note]
    assert "critic_reduction mean" in note


def test_a_setting_that_still_has_its_name_keeps_it() -> None:
    assert present_names({"critics": 3}, Own) == {"critics": 3}
    assert present_names({"critics": "min", "discount": 0.9}, SACSettings) == {
        "critic_reduction": "min",
        "discount": 0.9,
    }


def test_every_present_name_is_a_setting_and_no_old_one_is() -> None:
    known = {field.name for field in dataclasses.fields(SACSettings)}
    assert known >= {*PRESENT_NAMES.values()}
    assert known.isdisjoint(PRESENT_NAMES)
