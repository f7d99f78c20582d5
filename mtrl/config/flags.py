"""From a configuration to the command line that asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mtrl.config.defaults import default_config, recipe_for
from mtrl.config.options import Changes, options_changing
from mtrl.config.train_config import TrainConfig

SAID = ("suite", "seed", "recipe", "device")  # a command says these itself, or they are for its user's machine


def flags_of(
    config: TrainConfig[Any], changing: Sequence[Changes] = ("run", "agent"), said: Sequence[str] = SAID
) -> list[str]:
    """Return the flags of ``mtrl.train`` for what a configuration has that is not its suite's and agent's default.

    Options that change none of ``changing`` are left out, and so are those that are ``said`` elsewhere.
    """
    recipe = recipe_for(config)
    default = default_config(config.suite, config.agent, recipe)
    mine, usual = ({k: v for one in changing for k, v in options_changing(c, one).items()} for c in (config, default))
    words = [] if recipe == TrainConfig.recipe else ["--recipe", recipe]
    for name, value in mine.items():
        if value == usual[name] or name in said:
            continue
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", *map(str, value if isinstance(value, tuple) else (value,))]
    return words
