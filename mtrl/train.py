"""Train one agent on many tasks, with a single-task baseline beside it: ``python -m mtrl.train``."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

from mtrl.config import TrainConfig
from mtrl.config.arguments import parse_command
from mtrl.config.defaults import baseline_config
from mtrl.terminal.cli import command
from mtrl.training.trainers import trainer_of


def main(arguments: Sequence[str]) -> int:
    """Parse, train the agent, train its baseline, and compare them task by task."""
    asked = parse_command(arguments)
    config = asked.config
    sys.stdout.write(f"{plan_in_words(config)}\n")
    sys.stdout.flush()  # the imports that follow load torch, which may take seconds

    from mtrl.checkpoints.find import check_changes, is_over
    from mtrl.checkpoints.resume import check_same_suite, resumed_run
    from mtrl.runs.folder import agent_folder, runs_dir_of
    from mtrl.runs.reuse import find_finished
    from mtrl.scoring.summary import summary
    from mtrl.terminal.console import plain_console
    from mtrl.training.assemble import check_context, device_of, suite_of

    suite = suite_of(config)
    device_of(config)  # fails before anything is built or written
    check_context(config, suite)
    console = plain_console()
    resumed = None
    if asked.path is not None and asked.base is not None:
        if is_over(asked.path, config, asked.base):
            check_changes(config, asked.base)
            console.print(f"{asked.path} is finished: nothing to do", markup=False)
            return 0
        resumed = resumed_run(asked.path, config, asked.base)
        check_same_suite(asked.path, config, suite)
        config = dataclasses.replace(config, runs_dir=runs_dir_of(asked.path, suite.name, config.agent))
    results = [trainer_of(config)(config, console, resumed=resumed)]
    if config.baseline not in ("none", config.agent):
        plan = baseline_config(config)
        finished = find_finished(agent_folder(plan.runs_dir, suite.name, plan.agent), plan, suite.task_names)
        if finished is not None:
            console.print(f"{plan.agent}: the same run already exists, {finished['path']}", markup=False)
        results.append(finished or trainer_of(plan, config.settings)(plan, console))
    for part in summary(results, config.eval_episodes):
        console.print(part)
    console.print(f"tensorboard --logdir {config.runs_dir}", markup=False)
    return 0


def plan_in_words(config: TrainConfig[Any]) -> str:
    """Return one line about what is going to be trained."""
    beside = "" if config.baseline in ("none", config.agent) else f", then {config.baseline}"
    return f"{config.agent} on {config.suite}: {config.steps_per_task:,} steps per task{beside}"


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
