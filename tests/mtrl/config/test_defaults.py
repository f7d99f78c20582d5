"""Defaults: later lines of the table over earlier ones, and a baseline with the same budget and shared settings."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from agents.registry.compose import settings_type
from agents.registry.presets import PRESETS
from agents.registry.settings import SB3Settings
from mtrl.config import TrainConfig, defaults
from mtrl.config.arguments import parse_config
from mtrl.config.defaults import baseline_config, default_config
from mtrl.errors import UsageError


@pytest.fixture
def _table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three lines that overlap."""
    table: list[tuple[str, str, dict[str, Any]]] = [
        ("family/*", "*", {"steps_per_task": 11, "hidden": (7,), "discount": 0.5}),
        ("family/small", "*", {"steps_per_task": 22}),
        ("family/*", "care", {"hidden": (9, 9), "encoders": 6}),
    ]
    monkeypatch.setattr(defaults, "TABLE", table)


@pytest.mark.usefixtures("_table")
def test_the_table_is_read_from_the_top_and_later_lines_win() -> None:
    care, mtsac = default_config("family/small", "care"), default_config("family/small", "mtsac")
    assert (care.steps_per_task, mtsac.steps_per_task) == (22, 22)
    assert care.settings == settings_type(PRESETS["care"])(hidden=(9, 9), discount=0.5, encoders=6)
    assert mtsac.settings == settings_type(PRESETS["mtsac"])(hidden=(7,), discount=0.5)
    assert default_config("family/large", "sb3").settings == SB3Settings(hidden=(7,), discount=0.5)
    assert default_config("family/large", "sb3").steps_per_task == 11


@pytest.mark.usefixtures("_table")
@pytest.mark.parametrize("agent", sorted(PRESETS))
def test_a_suite_that_the_table_does_not_know_has_the_plain_defaults(agent: str) -> None:
    plain = TrainConfig(suite="my_module:suite", agent=agent, settings=settings_type(PRESETS[agent])())
    assert default_config("my_module:suite", agent) == plain


def test_every_name_in_the_table_is_a_field_of_the_run_or_of_some_agent() -> None:
    """A field that is misspelt would be left out without a word."""
    kinds = [TrainConfig, *(settings_type(preset) for preset in PRESETS.values())]
    known = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert {name for _, _, fields in defaults.TABLE for name in fields} <= known


def test_an_unknown_agent_has_no_defaults() -> None:
    with pytest.raises(UsageError, match="unknown agent 'cart'.*Did you mean 'care'"):
        default_config("tabletop", "cart")


@pytest.mark.parametrize("baseline", ["single-task", "sb3"])
def test_a_baseline_has_the_runs_budget_and_every_setting_that_both_have(baseline: str) -> None:
    line = "--hidden 33 22 --discount 0.9 --polyak 0.5 --learning-rate 0.25 --final-learning-rate 0.125 --encoders 7"
    budget = "--steps-per-task 55 --random-steps 5 --envs-per-task 3 --batch-per-task 9 --updates-per-step 2 --seed 4"
    suite = ("--suite", "tabletop", "--tasks", "push")
    config = parse_config([*suite, *line.split(), *budget.split(), "--baseline", baseline])
    other = baseline_config(config)
    kind = settings_type(PRESETS[baseline])
    assert other.settings == kind(
        hidden=(33, 22), discount=0.9, polyak=0.5, learning_rate=0.25, final_learning_rate=0.125
    )
    assert other == dataclasses.replace(config, agent=baseline, baseline="none", settings=other.settings)


def test_a_setting_that_only_the_agent_was_told_keeps_the_baselines_own_default() -> None:
    config = parse_config(["--no-layer-norm", "--initial-temperature", "0.3", "--baseline", "single-task"])
    settings = baseline_config(config).settings
    assert (settings.layer_norm, settings.initial_temperature) == (False, 0.3)
    sb3 = dataclasses.replace(config, baseline="sb3")
    assert not hasattr(baseline_config(sb3).settings, "layer_norm")


def test_what_the_table_says_of_a_baseline_by_name_holds_unless_the_run_was_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tuned = {"learning_rate": 0.5, "batch_per_task": 5}
    monkeypatch.setattr(defaults, "TABLE", [("tabletop", "*", {"hidden": (7,)}), ("tabletop", "single-task", tuned)])

    def baseline(*words: str) -> TrainConfig[Any]:
        return baseline_config(parse_config(["--suite", "tabletop", *words]))

    assert baseline() == dataclasses.replace(default_config("tabletop", "single-task"), baseline="none")
    assert (baseline().settings.learning_rate, baseline().batch_per_task) == (0.5, 5)
    told = baseline("--learning-rate", "0.25", "--batch-per-task", "9")
    assert (told.settings.learning_rate, told.batch_per_task, told.settings.hidden) == (0.25, 9, (7,))
    pieces = baseline("--agent", "mtsac", "--trunk", "lora", "--batch-per-task", "9")
    assert (pieces.settings.learning_rate, pieces.batch_per_task) == (0.5, 9)


def test_a_flag_given_twice_counts_the_last_time_for_its_defaults_too() -> None:
    config = parse_config(["--agent", "mtsac", "--agent", "care"])
    assert config == default_config(TrainConfig.suite, "care")
    config = parse_config(["--suite", "my_module:suite", "--suite", "tabletop"])
    assert config == default_config("tabletop", "care")


def test_a_recipe_goes_over_the_table_for_the_agent_and_its_baseline() -> None:
    standard, laptop = (parse_config(["--suite", "metaworld/MT10", "--recipe", r]) for r in ("standard", "laptop"))
    assert (standard.steps_per_task, standard.batch_per_task, standard.settings.hidden) == (2_000_000, 128, (400,) * 3)
    assert (standard.settings.network, laptop.settings.network) == ("mlp", "residual")
    assert laptop.steps_per_task < standard.steps_per_task
    assert laptop.settings.discount == standard.settings.discount == 0.99
    assert baseline_config(laptop).settings.network == "residual"
    assert baseline_config(laptop).recipe == "laptop"


@pytest.mark.parametrize(
    ("suite", "recipe", "words"),
    [
        ("metaworld/MT10", "labtop", "unknown recipe 'labtop'; known: standard, laptop. Did you mean 'laptop'"),
        ("tabletop", "laptop", r"does not apply to suite 'tabletop'; it is for metaworld/\*"),
    ],
)
def test_a_recipe_that_is_not_there_is_refused(suite: str, recipe: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        default_config(suite, "care", recipe)


def test_the_many_task_suite_has_a_budget_of_its_own_over_the_tabletops_networks() -> None:
    few, many = (default_config(suite, "care") for suite in ("tabletop", "tabletop-50"))
    assert (many.steps_per_task, many.envs_per_task, many.batch_per_task) == (8_000, 2, 8)
    assert many.random_steps < few.random_steps
    assert many.settings == dataclasses.replace(few.settings, context="text+numbers", reward_scale="return")
    few, many = (default_config(suite, "mtsac") for suite in ("tabletop", "tabletop-50"))
    assert many.settings == dataclasses.replace(few.settings, reward_scale="return", learning_rate=4e-3)
