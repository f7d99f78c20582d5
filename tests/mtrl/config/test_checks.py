"""What is refused of a configuration: numbers out of their ranges, and what does not go together."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from agents.registry.presets import PRESETS
from mtrl.config import TrainConfig
from mtrl.config.checks import check_config
from mtrl.config.defaults import default_config
from mtrl.errors import UsageError

CARE = default_config("tabletop", "care")


@pytest.mark.parametrize("agent", sorted(PRESETS))
@pytest.mark.parametrize("suite", ["tabletop", "my_module:suite"])
def test_defaults_are_within_their_ranges(suite: str, agent: str) -> None:
    check_config(default_config(suite, agent))


@pytest.mark.parametrize(
    ("field", "least"),
    [
        *[("seed", 0), ("steps_per_task", 1), ("envs_per_task", 1), ("batch_per_task", 1), ("updates_per_step", 1)],
        *[("random_steps", 0), ("threads", 0), ("jobs", 0), ("eval_every", 1), ("eval_episodes", 1), ("log_every", 1)],
    ],
)
def test_a_number_below_its_range_is_named_and_the_least_is_taken(field: str, least: int) -> None:
    config = dataclasses.replace(CARE, random_steps=0)
    check_config(dataclasses.replace(config, **{field: least}))
    with pytest.raises(UsageError) as error:
        check_config(dataclasses.replace(config, **{field: least - 1}))
    flag = field.replace("_", "-")
    assert str(error.value) == f"--{flag} is {least - 1}; it must be at least {least}"


def test_every_whole_number_of_the_run_has_a_least_value() -> None:
    whole = {f.name for f in dataclasses.fields(TrainConfig) if f.type in (int, "int")}
    assert len(whole) == 13
    for field in whole:
        with pytest.raises(UsageError, match=f"--{field.replace('_', '-')} is -1"):
            check_config(dataclasses.replace(CARE, **{field: -1}))


def test_a_seed_is_what_stable_baselines3_takes() -> None:
    check_config(dataclasses.replace(CARE, seed=2**32 - 1))
    with pytest.raises(UsageError, match="--seed is 4294967296; it must be at most 4294967295"):
        check_config(dataclasses.replace(CARE, seed=2**32))


def test_some_steps_are_left_to_learn_from() -> None:
    check_config(dataclasses.replace(CARE, random_steps=8, steps_per_task=9))
    with pytest.raises(UsageError, match="--random-steps is 9, of --steps-per-task 9: nothing would be learned"):
        check_config(dataclasses.replace(CARE, random_steps=9, steps_per_task=9))


def test_the_replay_holds_at_least_a_batch_and_a_step_of_all_copies() -> None:
    small = dataclasses.replace(CARE, batch_per_task=4, envs_per_task=4, replay_per_task=4)
    check_config(small)
    with pytest.raises(UsageError, match="--batch-per-task is 5, more than --replay-per-task 4"):
        check_config(dataclasses.replace(small, batch_per_task=5))
    with pytest.raises(UsageError, match="--replay-per-task is 4, less than --envs-per-task 5"):
        check_config(dataclasses.replace(small, envs_per_task=5))


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("hidden", [(1,), (4, 4, 4)], [(), (0,), (8, -1)]),
        ("encoder_hidden", [(), (1,)], [(0,)]),
        ("learning_rate", [1e-9, 1.0], [0.0, -1.0, float("nan"), float("inf")]),
        ("discount", [1.0, 1e-9], [0.0, 1.0001, -0.5, float("nan")]),
        ("polyak", [1.0], [0.0, 2.0]),
        ("encoders", [1], [0, -2]),
        ("attention_temperature", [0.5], [0.0]),
        ("detach_context", [True, False], []),
    ],
)
def test_a_setting_out_of_its_range_is_named(field: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        check_config(dataclasses.replace(CARE, settings=dataclasses.replace(CARE.settings, **{field: value})))
    for value in bad:
        with pytest.raises(UsageError, match=f"--{field.replace('_', '-')} is "):
            check_config(dataclasses.replace(CARE, settings=dataclasses.replace(CARE.settings, **{field: value})))


def test_a_residual_network_of_unequal_widths_is_refused() -> None:
    settings = dataclasses.replace(CARE.settings, network="residual", hidden=(64, 32))
    with pytest.raises(UsageError, match="--hidden is 64 32; a residual network has one width"):
        check_config(dataclasses.replace(CARE, settings=settings))


def test_a_residual_network_without_widths_is_refused() -> None:
    settings = dataclasses.replace(CARE.settings, network="residual", hidden=())
    with pytest.raises(UsageError, match="--hidden is empty; give widths of at least 1"):
        check_config(dataclasses.replace(CARE, settings=settings))


def test_diagnoses_can_be_switched_off_and_not_below_that() -> None:
    for every in (None, 0, 1):
        check_config(dataclasses.replace(CARE, diagnose_every=every))
    with pytest.raises(UsageError, match="--diagnose-every is -1; it must be at least 0"):
        check_config(dataclasses.replace(CARE, diagnose_every=-1))


def test_a_trunk_with_layers_of_its_own_has_no_residual_network() -> None:
    moore = default_config("tabletop", "mtsac", pieces={"trunk": "moore"})
    check_config(moore)
    residual = dataclasses.replace(moore, settings=dataclasses.replace(moore.settings, network="residual"))
    with pytest.raises(UsageError, match="--network is 'residual', but trunk 'moore' makes its own layers"):
        check_config(residual)
