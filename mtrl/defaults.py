"""Which defaults hold for which suite and agent: one table, read from the top, later lines over earlier ones."""

from __future__ import annotations

import dataclasses
from fnmatch import fnmatchcase
from typing import Any

from agents.presets import PRESETS
from mtrl.config import TrainConfig, known_agent

# suite pattern, agent pattern, fields of TrainConfig or of the agent's settings
TABLE: list[tuple[str, str, dict[str, Any]]] = [
    (
        "tabletop",
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
]


def default_config(suite: str, agent: str) -> TrainConfig[Any]:
    """Return the defaults for training ``agent`` on ``suite``. Raises ``UsageError`` for an unknown agent."""
    values: dict[str, Any] = {}
    for suite_pattern, agent_pattern, fields in TABLE:
        if fnmatchcase(suite, suite_pattern) and fnmatchcase(agent, agent_pattern):
            values.update(fields)
    settings_type = PRESETS[known_agent(agent)].settings
    own = {f.name for f in dataclasses.fields(settings_type)}
    loop = {f.name for f in dataclasses.fields(TrainConfig)}
    settings = settings_type(**{k: v for k, v in values.items() if k in own})
    return TrainConfig(suite=suite, agent=agent, settings=settings, **{k: v for k, v in values.items() if k in loop})


def baseline_config(config: TrainConfig[Any]) -> TrainConfig[Any]:
    """Return the configuration of the baseline: same budget, and the same value of every setting that both have."""
    base = default_config(config.suite, config.baseline)
    own = {f.name for f in dataclasses.fields(base.settings)}
    shared = {k: v for k, v in vars(config.settings).items() if k in own}
    return dataclasses.replace(
        config,
        agent=config.baseline,
        baseline="none",
        settings=dataclasses.replace(base.settings, **shared),
    )
