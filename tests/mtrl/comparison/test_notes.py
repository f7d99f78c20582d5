"""The sentences beside a comparison: what differs between its agents, and what it lacks."""

from __future__ import annotations

import shlex
from pathlib import Path

from mtrl.comparison.compare import compare
from mtrl.config.arguments import parse_config
from mtrl.gathering.gather import gather
from mtrl.sweep import split
from tests.mtrl.made_runs import make_run


def test_without_single_task_the_note_has_the_command_that_trains_it_on_the_same_budget(tmp_path: Path) -> None:
    run = make_run(tmp_path, seed=4, settings={"hidden": (32, 32), "layer_norm": False}, tasks=("reach", "push"))
    comparison = compare(gather([run]))
    assert (comparison.baseline, comparison.effects, comparison.overall) == (None, (), ())
    (note,) = [note for note in comparison.notes if "no single-task run" in note]
    words = shlex.split(note.partition("train one: ")[2])
    assert words[:3] == ["python", "-m", "mtrl.sweep"]
    own, further = split(words[3:])
    assert own == ["--suite", "tabletop", "--agents", "single-task", "--seeds", "4", "--runs-dir", "runs"]
    config = parse_config(["--agent", "single-task", *further])
    assert (config.steps_per_task, config.tasks) == (4000, ("reach", "push"))
    assert (config.settings.hidden, config.settings.layer_norm) == ((32, 32), False)


def test_sb3_is_offered_as_a_baseline_where_it_is_there(tmp_path: Path) -> None:
    for agent in ("care", "sb3"):
        make_run(tmp_path, agent)
    (note,) = [note for note in compare(gather([tmp_path])).notes if "no single-task run" in note]
    assert "no single-task run (or use --baseline sb3); train one: " in note


def test_settings_that_agents_share_by_name_only_are_told(tmp_path: Path) -> None:
    make_run(tmp_path)
    make_run(tmp_path, "mtsac", batch_per_task=32)
    notes = compare(gather([tmp_path])).notes
    assert "batch_per_task differs between agents: care 64, mtsac 32" in notes
    assert not [note for note in notes if "encoders" in note]


def test_settings_are_told_between_those_that_have_them_beside_sb3_too(tmp_path: Path) -> None:
    """sb3 has no layer norm, no critic and no scales: it once hid that others differed in them."""
    make_run(tmp_path)
    make_run(tmp_path, "mtsac", settings={"layer_norm": False, "critic": "categorical"})
    make_run(tmp_path, "sb3", settings={"hidden": (64, 64)})
    notes = compare(gather([tmp_path])).notes
    assert "layer_norm differs between agents that have it: care True, mtsac False" in notes
    assert "critic differs between agents that have it: care scalar, mtsac categorical" in notes
    assert "hidden differs between agents: care 128x128, mtsac 128x128, sb3 64x64" in notes


def test_settings_that_a_baseline_goes_without_are_told(tmp_path: Path) -> None:
    make_run(tmp_path)
    for seed, critic in enumerate(("categorical", "scalar")):
        dropped = {"layer_norm": True, **({"critic": critic} if seed == 0 else {})}
        make_run(tmp_path, "sb3", seed, facts={"dropped_settings": dropped})
    (note,) = [note for note in compare(gather([tmp_path])).notes if "does not support" in note]
    assert note == "sb3 does not support some settings of the others: layer_norm True, critic categorical"


def test_a_task_on_which_the_baseline_gains_next_to_nothing_is_named(tmp_path: Path) -> None:
    random_returns = {"a": -100.0, "b": 0.0}
    make_run(tmp_path, "single-task", scores={"a": -98.0, "b": 10.0}, chance=random_returns)
    make_run(tmp_path, "care", scores={"a": -88.0, "b": 50.0}, chance=random_returns)
    (note,) = [note for note in compare(gather([tmp_path])).notes if "gains little" in note]
    assert note.startswith("on a, single-task gains little over random actions (return -98 against -100)")
    assert "(care 6.0)" in note
