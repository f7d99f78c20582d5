"""Select the runs of one budget, in steps per task, for a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from mtrl.errors import UsageError
from mtrl.gathering.run import Run


def of_one_budget(runs: Sequence[Run], steps_per_task: int | None = None) -> tuple[list[Run], list[str]]:
    """Return the runs with ``steps_per_task``; without it, those of the most common budget (of several, the largest).

    In the latter case a line about each other budget is returned too. Raises ``UsageError`` if no run has the requested
    budget.
    """
    budgets: dict[int, list[Run]] = {}
    for run in runs:
        budgets.setdefault(run.config.steps_per_task, []).append(run)
    if steps_per_task is not None:
        if steps_per_task not in budgets:
            known = ", ".join(f"{steps:,} ({len(own)})" for steps, own in sorted(budgets.items()))
            raise UsageError(f"--steps-per-task is {steps_per_task:,}, which no run has; budgets (and runs): {known}")
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
