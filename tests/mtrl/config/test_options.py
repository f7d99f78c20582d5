"""What a run's options say of themselves: a field that is added says it too, or is found here."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from agents.registry.facts import facts_of
from mtrl.config import TrainConfig
from mtrl.config.defaults import default_config
from mtrl.config.options import CHANGES, option, options_changing

FIELDS = {field.name: field for field in dataclasses.fields(TrainConfig)}
# Written out once: what another value changes, and between what a number has to be.
CHANGED = {
    "agent": {
        "agent",
        "from_run",
        "add_task",
        "envs_per_task",
        "batch_per_task",
        "updates_per_step",
        "random_steps",
        "replay_per_task",
    }
    | {"settings"},
    "run": {"suite", "recipe", "tasks", "engine", "reward_version", "seed", "steps_per_task", "device"}
    | {"eval_every", "eval_episodes", "cudagraphs"},
    "nothing": {"runs_dir", "threads", "jobs", "workers", "env_timeout", "baseline"}
    | {"log_every", "diagnose_every", "record_every", "checkpoint_every", "keep_checkpoint", "track"},
}
RANGES: dict[tuple[Any, Any, Any], set[str]] = {
    (0, None, 2**32 - 1): {"seed"},
    (0, None, 10**12): {"random_steps", "diagnose_every", "record_every"},
    (0, None, 10**7): {"checkpoint_every"},
    (0, None, 1024): {"workers", "threads", "jobs"},
    (1, None, 10**12): {"steps_per_task", "batch_per_task", "replay_per_task", "eval_every", "log_every"},
    (1, None, 10**6): {"envs_per_task", "updates_per_step", "eval_episodes"},
    (None, 0, 10**7): {"env_timeout"},
}


def test_every_option_says_what_it_changes() -> None:
    said: dict[str, set[str]] = {}
    for name, field in FIELDS.items():
        said.setdefault(field.metadata[CHANGES], set()).add(name)
    assert said == CHANGED


def test_every_number_has_its_range_and_a_default_within_it() -> None:
    said: dict[tuple[Any, Any, Any], set[str]] = {}
    for name, field in FIELDS.items():
        facts = facts_of(field)
        assert facts.has_range == bool(re.search(r"\b(int|float)\b", str(field.type))), name
        assert facts.fault(field.default) == "", name
        if facts.has_range:
            said.setdefault((facts.ge, facts.gt, facts.le), set()).add(name)
    assert said == RANGES


def test_what_a_table_of_runs_shows_first() -> None:
    assert {name for name in FIELDS if facts_of(FIELDS[name]).in_table} == {"suite", "agent", "seed", "steps_per_task"}


def test_what_is_told_of_a_run_is_flat_and_in_the_order_of_the_fields() -> None:
    config = dataclasses.replace(default_config("tabletop", "sb3"), seed=3, workers=2)
    own = dataclasses.asdict(config.settings)
    agents = ("agent", "envs_per_task", "batch_per_task", "updates_per_step", "random_steps", "replay_per_task")
    agents += ("from_run", "add_task")
    assert [*options_changing(config, "agent")] == [*agents, *own]
    assert options_changing(config, "agent")["hidden"] == own["hidden"]
    assert options_changing(config, "run")["seed"] == 3
    assert options_changing(config, "run").keys() == CHANGED["run"]
    assert options_changing(config, "nothing")["workers"] == 2
    assert options_changing(config, "run", "nothing").keys() == CHANGED["run"] | CHANGED["nothing"]


def test_an_option_that_does_not_say_what_it_changes_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="changes"):
        option(3)  # type: ignore[call-arg]
