"""Train one agent on many tasks, with a single-task baseline beside it: ``python -m mtrl.train``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from agents.presets import PRESETS
from mtrl.cli import command, parse
from mtrl.config import TrainConfig, check_config, known_agent
from mtrl.defaults import baseline_config, default_config
from mtrl.trainers import trainer_of


def main(arguments: Sequence[str]) -> int:
    """Parse, train the agent, train its baseline, and compare them task by task."""
    config = parse_config(arguments)
    sys.stdout.write(f"{plan_in_words(config)}\n")
    sys.stdout.flush()  # what follows imports torch, which takes seconds where nothing of it is cached

    from rich.console import Console

    from envs.context import context_parts
    from mtrl.assemble import device_of, suite_of
    from mtrl.runs import agent_folder, finished_twin
    from mtrl.tables import comparison_table

    suite = suite_of(config)
    device_of(config)  # whatever is wrong with either is said before anything is made or written
    if hasattr(config.settings, "context"):
        context_parts(suite, config.settings.context)
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    results = [trainer_of(config)(config, console)]
    if config.baseline not in ("none", config.agent):
        plan = baseline_config(config)
        twin = finished_twin(agent_folder(plan.runs_dir, suite.name, plan.agent), plan)
        if twin is not None:
            console.print(f"{plan.agent}: the same run is there already, {twin['path']}")
        results.append(twin or trainer_of(plan, config.settings)(plan, console))
    console.print(comparison_table(results))
    console.print(f"tensorboard --logdir {config.runs_dir}")
    return 0


def parse_config(arguments: Sequence[str]) -> TrainConfig[Any]:
    """Parse a command line whose defaults and flags depend on its own ``--suite`` and ``--agent``."""
    from envs.suite import BUILT_IN, make_suite

    suite = _value_of(arguments, "--suite", TrainConfig.suite)
    agent = known_agent(_value_of(arguments, "--agent", TrainConfig.agent))
    if suite not in BUILT_IN and ":" not in suite:
        make_suite(suite)  # raises, naming the nearest
    defaults = default_config(suite, agent, _value_of(arguments, "--recipe", TrainConfig.recipe))
    kind: Any = TrainConfig.__class_getitem__(type(defaults.settings))  # type: ignore[attr-defined]
    config: TrainConfig[Any] = parse(kind, "mtrl.train", arguments, default=defaults, description=_description(agent))
    check_config(config)
    return config


def plan_in_words(config: TrainConfig[Any]) -> str:
    """Return what is about to be trained, in one line."""
    beside = "" if config.baseline in ("none", config.agent) else f", then {config.baseline}"
    return f"{config.agent} on {config.suite}: {config.steps_per_task:,} steps per task{beside}"


def _description(agent: str) -> str:
    return (
        "Train one agent on a suite of tasks, with a single-task baseline beside it. "
        f"The flags and defaults are those of --agent {agent}: {PRESETS[agent].description}."
    )


def _value_of(arguments: Sequence[str], flag: str, default: str) -> str:
    """Return the value that a command line gives a flag last, as the parser would take it."""
    value = default
    for position, argument in enumerate(arguments):
        if argument == flag and position + 1 < len(arguments):
            value = arguments[position + 1]
        elif argument.startswith(f"{flag}="):
            value = argument.partition("=")[2]
    return value


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
