"""Which defaults hold for which suite and agent: tables, read from the top, later lines over earlier ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from agents.registry.compose import SLOTS, pieces_named, uncapturable
from envs.errors import nearest
from mtrl.config.train_config import STANDARD, TrainConfig, agent_spec, settings_of
from mtrl.errors import UsageError

# suite pattern, agent pattern, fields of TrainConfig or of the agent's settings
Lines = list[tuple[str, str, dict[str, Any]]]

# Thousand-step episodes of running: customary values, not measured here.
LOCOMOTION = {
    "steps_per_task": 300_000,
    "random_steps": 5_000,
    "eval_every": 25_000,
    "eval_episodes": 5,
}

# On tabletop-50, agents whose best learning rate on one grid is not 1e-3: docs/decisions/0009-the-first-command.md.
RATES = {
    2e-3: ("single-task", "sb3", "care-brc"),
    4e-3: ("mtsac", "mtmhsac", "film", "softmod", "moore", "paco", "nas", "bayes"),
}

TABLE: Lines = [
    (
        "tabletop*",
        "*",
        {
            "steps_per_task": 80_000,
            "envs_per_task": 8,
            "batch_per_task": 64,
            "replay_per_task": 100_000,
            "eval_every": 4_000,
            "eval_episodes": 50,
            "hidden": (128, 128),
            "learning_rate": 1e-3,
            "final_learning_rate": 1e-4,
            "discount": 0.97,
            "polyak": 0.01,
        },
    ),
    (
        # Many tasks and little data of each.
        "tabletop-50",
        "*",
        {
            "steps_per_task": 8_000,
            "envs_per_task": 2,
            "batch_per_task": 8,
            "updates_per_step": 2,
            "random_steps": 100,
            "replay_per_task": 8_000,
            "eval_every": 1_000,
            "eval_episodes": 20,
            "reward_scale": "return",
            "context": "text+numbers",
        },
    ),
    *[("tabletop-50", agent, {"learning_rate": rate}) for rate, agents in RATES.items() for agent in agents],
    (
        # Multi-task SAC as published for Meta-World+ (McLean et al. 2025): two million steps in each task.
        "metaworld/*",
        "*",
        {
            "steps_per_task": 2_000_000,
            "envs_per_task": 1,
            "batch_per_task": 128,
            "replay_per_task": 100_000,
            "random_steps": 4_000,
            "eval_every": 20_000,
            "eval_episodes": 50,
            "hidden": (400, 400, 400),
            "layer_norm": False,
            "learning_rate": 3e-4,
            "final_learning_rate": 3e-4,
            "adam_epsilon": 1e-5,
            "gradient_norm": 1.0,
            "discount": 0.99,
            "polyak": 0.005,
            "initial_temperature": 1.0,
            "encoders": 6,
            "encoder_hidden": (50, 50),
            "encoder_size": 50,
            "context_hidden": (50, 50),
            "context_size": 50,
        },
    ),
    ("metaworld/MT50", "care", {"encoders": 10}),
    (
        "pendulum-*",
        "*",
        {
            "steps_per_task": 30_000,
            "envs_per_task": 4,
            "batch_per_task": 64,
            "updates_per_step": 2,
            "replay_per_task": 30_000,
            "eval_every": 6_000,
            "eval_episodes": 20,
            "hidden": (128, 128),
            "learning_rate": 1e-3,
            "final_learning_rate": 1e-4,
            "discount": 0.97,
            "polyak": 0.01,
        },
    ),
    ("cheetah-*", "*", LOCOMOTION),
    ("hopper-mass*", "*", LOCOMOTION),
    ("walker-friction*", "*", LOCOMOTION),
    ("ant-direction*", "*", {**LOCOMOTION, "steps_per_task": 500_000}),
    (
        "fetch",
        "*",
        {
            "steps_per_task": 300_000,
            "envs_per_task": 8,
            "learning_rate": 1e-3,
            "final_learning_rate": 1e-4,
            "discount": 0.95,
            "polyak": 0.01,
            "eval_episodes": 20,
        },
    ),
    (
        # The settings of Nauman et al. 2025, but for the width, which stays the suite's.
        "*",
        "care-brc",
        {"network": "residual", "critic_reduction": "mean", "reward_scale": "return", "weight_decay": 1e-4},
    ),
]

# Other defaults under a name: --recipe NAME puts these lines over the table's.
RECIPES: dict[str, Lines] = {
    # Meta-World on two CPU cores: 69,500 updates of CARE; docs/metaworld.md says what each line is worth.
    "laptop": [
        (
            "metaworld/*",
            "*",
            {
                "steps_per_task": 280_000,
                "envs_per_task": 4,
                "batch_per_task": 32,
                "random_steps": 2_000,
                "eval_every": 70_000,
                "eval_episodes": 8,
                "log_every": 5_000,
                "hidden": (256, 256),
                "network": "residual",
                "layer_norm": True,
                "critic": "categorical",
                "critic_reduction": "mean",
                "obs_scale": "running",
                "reward_scale": "return",
                "precision": "auto",
                "learning_rate": 1e-3,
                "final_learning_rate": 1e-4,
                "weight_decay": 1e-4,
                "polyak": 0.02,
                "initial_temperature": 0.005,
                "target_entropy": 0.5,
                "encoders": 4,
                "encoder_hidden": (128, 128),
                "encoder_size": 64,
            },
        ),
    ],
}


def default_config(
    suite: str, agent: str, recipe: str = STANDARD, pieces: Mapping[str, str] | None = None
) -> TrainConfig[Any]:
    """Return the defaults for training ``agent`` on ``suite``, with ``pieces``, slot to name, in place of its own.

    Raises ``UsageError`` for what is unknown, for pieces that do not fit together, and for a recipe that does not exist
    or does not cover the suite.
    """
    values: dict[str, Any] = {"recipe": recipe}
    for suite_pattern, agent_pattern, fields in [*TABLE, *_recipe(recipe, suite)]:
        if fnmatchcase(suite, suite_pattern) and fnmatchcase(agent, agent_pattern):
            values.update(fields)
    values.update(pieces or {})
    settings_type = settings_of(agent_spec(agent), pieces or {})
    own = {f.name for f in dataclasses.fields(settings_type)}
    loop = {f.name for f in dataclasses.fields(TrainConfig)}
    settings = settings_type(**{k: v for k, v in values.items() if k in own})
    return TrainConfig(suite=suite, agent=agent, settings=settings, **{k: v for k, v in values.items() if k in loop})


def dropped_settings(config: TrainConfig[Any], wanted: Any = None) -> dict[str, Any]:
    """Return the settings, name to value, that the run's agent does not support; none for the kit's own agents.

    ``wanted`` are the settings of the agent that it is the baseline of; by default, those that the kit's single-task
    agent would have on the suite.
    """
    fixed = agent_spec(config.agent).fixed
    if not fixed:
        return {}
    asked = wanted or default_config(config.suite, "single-task", config.recipe).settings
    return {name: value for name, value in vars(asked).items() if value != fixed.get(name, value)}


def _own_fields(suite: str, agent: str, recipe: str) -> dict[str, Any]:
    """Return the table's values for an agent by name, rather than for all agents, on a suite."""
    fields: dict[str, Any] = {}
    for suite_pattern, agent_pattern, values in [*TABLE, *_recipe(recipe, suite)]:
        if fnmatchcase(suite, suite_pattern) and agent_pattern == agent:
            fields.update(values)
    return fields


def _value(config: TrainConfig[Any], name: str) -> Any:
    return getattr(config, name) if hasattr(config, name) else getattr(config.settings, name, None)


def _recipe(name: str, suite: str) -> Lines:
    if name == STANDARD:
        return []
    if name not in RECIPES:
        known = (STANDARD, *RECIPES)
        raise UsageError(f"unknown recipe {name!r}; known: {', '.join(known)}.{nearest(name, known)}")
    lines = RECIPES[name]
    if not any(fnmatchcase(suite, pattern) for pattern, _, _ in lines):
        patterns = ", ".join(sorted({pattern for pattern, _, _ in lines}))
        raise UsageError(f"recipe {name!r} does not apply to suite {suite!r}; it is for {patterns}")
    return lines


def recipe_for(config: TrainConfig[Any]) -> str:
    """Return a configuration's recipe, or the standard one if that does not cover its suite."""
    try:
        _recipe(config.recipe, config.suite)
    except UsageError:
        return STANDARD
    return config.recipe


def baseline_config(config: TrainConfig[Any]) -> TrainConfig[Any]:
    """Return the configuration of the baseline: same budget, and the same value of every setting that both have.

    Its pieces are its own, except for the critics' head. So are the table's values for it by name, wherever the run has
    its agent's default: tuned agents are compared with a baseline that is tuned too.
    """
    same = dataclasses.replace(as_agent(config, config.baseline), baseline="none")
    default = default_config(config.suite, config.agent, config.recipe, pieces_named(config.settings))
    tuned = {
        name: value
        for name, value in _own_fields(config.suite, config.baseline, config.recipe).items()
        if _value(config, name) == _value(default, name)
    }
    of_loop = {field.name for field in dataclasses.fields(TrainConfig)}
    settings = {name: value for name, value in tuned.items() if name not in of_loop}
    loop = {name: value for name, value in tuned.items() if name in of_loop}
    return dataclasses.replace(same, settings=dataclasses.replace(same.settings, **settings), **loop)


def as_agent(config: TrainConfig[Any], agent: str, pieces: Mapping[str, str] | None = None) -> TrainConfig[Any]:
    """Return the configuration of another agent on the same budget, with the same values of settings that both have.

    Of its pieces, ``pieces`` are given, the critics' head is kept, and the rest are its own. It starts from scratch, so
    if ``config`` starts from a run, it has the table's number of random steps.
    """
    chosen = pieces or {}
    base = default_config(config.suite, agent, config.recipe, chosen)
    own = {f.name for f in dataclasses.fields(base.settings)}
    kept = {*own} - {slot for slot in SLOTS if slot != "critic"} - {*chosen}
    shared = {k: v for k, v in vars(config.settings).items() if k in kept}
    settings = dataclasses.replace(base.settings, **shared)
    return dataclasses.replace(
        config,
        agent=agent,
        random_steps=config.random_steps if config.from_run is None else max(config.random_steps, base.random_steps),
        record_every=config.record_every if agent_spec(agent).in_loop else 0,
        cudagraphs=config.cudagraphs and not uncapturable(agent_spec(agent), settings),
        from_run=None,  # whose networks are another agent's
        add_task=(),
        settings=settings,
    )
