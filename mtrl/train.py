"""Train one agent on many tasks, with a single-task baseline beside it: ``python -m mtrl.train``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agents.compose import SLOTS
from agents.spec import AgentSpec, imported
from mtrl.cli import command, parse
from mtrl.config import TrainConfig, agent_spec, check_config
from mtrl.defaults import baseline_config, default_config

if TYPE_CHECKING:
    from rich.console import Console


def main(arguments: Sequence[str]) -> int:
    """Parse, train the agent, train its baseline, and compare them task by task."""
    config = parse_config(arguments)
    sys.stdout.write(f"{plan_in_words(config)}\n")
    sys.stdout.flush()  # what follows imports torch, which takes seconds where nothing of it is cached

    from rich.console import Console

    from mtrl.assemble import check_context, device_of, suite_of
    from mtrl.runs import agent_folder, finished_twin
    from mtrl.tables import comparison_table

    suite = suite_of(config)
    device_of(config)  # whatever is wrong with either is said before anything is made or written
    check_context(config, suite)
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    results = [_trainer(config)(config, console, None)]
    if config.baseline not in ("none", config.agent):
        plan = baseline_config(config)
        twin = finished_twin(agent_folder(plan.runs_dir, suite.name, plan.agent), plan)
        if twin is not None:
            console.print(f"{plan.agent}: the same run is there already, {twin['path']}")
        results.append(twin or _trainer(plan)(plan, console, config.settings))
    console.print(comparison_table(results))
    console.print(f"tensorboard --logdir {config.runs_dir}")
    return 0


def parse_config(arguments: Sequence[str]) -> TrainConfig[Any]:
    """Parse a command line whose defaults and flags depend on its own suite, agent and pieces."""
    from envs.suite import BUILT_IN, make_suite

    suite = _value_of(arguments, "--suite", TrainConfig.suite)
    agent = agent_spec(_value_of(arguments, "--agent", TrainConfig.agent))
    pieces = {slot: name for slot in SLOTS if (name := _value_of(arguments, f"--{slot}", ""))}
    if suite not in BUILT_IN and ":" not in suite:
        make_suite(suite)  # raises, naming the nearest
    defaults = default_config(suite, agent.name, _value_of(arguments, "--recipe", TrainConfig.recipe), pieces)
    kind: Any = TrainConfig.__class_getitem__(type(defaults.settings))  # type: ignore[attr-defined]
    config: TrainConfig[Any] = parse(kind, "mtrl.train", arguments, default=defaults, description=_description(agent))
    check_config(config)
    return config


def plan_in_words(config: TrainConfig[Any]) -> str:
    """Return what is about to be trained, in one line."""
    beside = "" if config.baseline in ("none", config.agent) else f", then {config.baseline}"
    return f"{config.agent} on {config.suite}: {config.steps_per_task:,} steps per task{beside}"


def _description(agent: AgentSpec) -> str:
    return (
        "Train one agent on a suite of tasks, with a single-task baseline beside it. "
        f"The flags and defaults are those of --agent {agent.name}: {agent.description}."
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


def _trainer(config: TrainConfig[Any]) -> Callable[[TrainConfig[Any], Console, Any], dict[str, Any]]:
    """What trains this agent into a run folder of its own, and returns its result.

    It is called with the configuration, a console, and the settings of the agent that it is the baseline of, if any.
    """
    return imported(agent_spec(config.agent).trainer or "mtrl.session:run_agent")


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
