"""One number of steps per task for a comparison: which runs have it, and a line about those that are set aside."""

from __future__ import annotations

from collections.abc import Sequence

from mtrl.errors import UsageError
from mtrl.gathering.run import Run


def of_one_budget(runs: Sequence[Run], steps_per_task: int | None = None) -> tuple[list[Run], list[str]]:
    """Return the runs of ``steps_per_task``, and a line for each other budget that was set aside without being asked.

    For None that is the budget which most runs have, of several the largest. Raises ``UsageError`` where no run has the
    one asked for.
    """
    budgets: dict[int, list[Run]] = {}
    for run in runs:
        budgets.setdefault(run.config.steps_per_task, []).append(run)
    if steps_per_task is not None:
        if steps_per_task not in budgets:
            there = ", ".join(f"{steps:,} ({len(own)})" for steps, own in sorted(budgets.items()))
            raise UsageError(f"--steps-per-task is {steps_per_task:,}, which no run has; budgets (and runs): {there}")
        return budgets[steps_per_task], []
    most = max(budgets, key=lambda steps: (len(budgets[steps]), steps))
    lines = [
        f"set aside: {steps:,} steps per task rather than {most:,}, in {_paths(own)}; "
        f"--steps-per-task {steps} takes {'it' if len(own) == 1 else 'them'} instead"
        for steps, own in budgets.items()
        if steps != most
    ]
    return budgets[most], lines


def _paths(runs: Sequence[Run]) -> str:
    return ", ".join(repr(str(run.path)) for run in runs)
