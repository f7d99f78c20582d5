"""Reconstructs the command line of a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mtrl.config.defaults import default_config, recipe_for
from mtrl.config.options import Changes, options_changing
from mtrl.config.train_config import TrainConfig

STATED = ("suite", "seed", "recipe", "device")  # a command states these itself, or they depend on the machine


def flags_of(
    config: TrainConfig[Any], changing: Sequence[Changes] = ("run", "agent"), stated: Sequence[str] = STATED
) -> list[str]:
    """Return the flags of ``mtrl.train`` for the options that differ from the suite's and agent's defaults.

    Options that change none of ``changing`` are left out, and so are those ``stated`` elsewhere.
    """
    recipe = recipe_for(config)
    default = default_config(config.suite, config.agent, recipe)
    mine, usual = ({k: v for one in changing for k, v in options_changing(c, one).items()} for c in (config, default))
    words = [] if recipe == TrainConfig.recipe else ["--recipe", recipe]
    for name, value in mine.items():
        if value == usual[name] or name in stated:
            continue
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", *map(str, value if isinstance(value, tuple) else (value,))]
    return words
