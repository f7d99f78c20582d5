"""The worth of each encoder of a mixture to each task: the agent plays without it, from the same starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from rich.markup import escape
from rich.table import Table

from envs.suite import TaskSuite
from mtrl.scoring.final import as_scored
from mtrl.scoring.scorer import Scorer
from mtrl.scoring.scores import Policy, TaskScore


def ablation(
    suite: TaskSuite,
    policies: Sequence[Policy],
    episodes: Sequence[int],
    seed: int,
    device: torch.device,
    **processes: Any,
) -> dict[str, Any]:
    """Play the full agent, which comes first, and the agent without each encoder; return the entries of ablation.json.

    ``whole`` is (T,), ``without`` (T, K). The measure is success at any step if every task reports it, else the return.
    """
    scorer = Scorer(as_scored(suite), episodes, seed, device, each_start=True, **processes)
    try:
        plays = [list(scorer.score(policy).values()) for policy in policies]
    finally:
        scorer.close()
    by_return = any(score.to_json()["success_any"] is None for play in plays for score in play)
    columns = [[_value(score, by_return) for score in play] for play in plays]
    return {
        "measure": "return" if by_return else "success_any",
        "seed": seed,
        "episodes": [*episodes],
        "tasks": [*suite.task_names],
        "encoders": [f"enc {k + 1}" for k in range(len(columns) - 1)],
        "whole": columns[0],
        "without": [list(row) for row in zip(*columns[1:], strict=True)],
    }


def ablation_table(result: dict[str, Any]) -> Table:
    """Return a table of tasks x encoders: the change of the full agent's score without each."""
    decimals = 2 if result["measure"] == "success_any" else 1
    title = f"{result['measure']} of the full agent, and the difference without each encoder"
    table = Table(title=title, title_justify="left")
    table.add_column("task")
    for name in ("full", *result["encoders"]):
        table.add_column(escape(name), justify="right")

    def row(label: str, full: float, without: Sequence[float]) -> None:
        table.add_row(label, f"{full:.{decimals}f}", *(f"{value - full:+.{decimals}f}" for value in without))

    for name, full, without in zip(result["tasks"], result["whole"], result["without"], strict=True):
        row(escape(name), full, without)
    table.add_section()
    tasks = len(result["tasks"])
    row("mean", sum(result["whole"]) / tasks, [sum(column) / tasks for column in zip(*result["without"], strict=True)])
    return table


def _value(score: TaskScore, by_return: bool) -> float:
    return score.mean_return if by_return else score.success_any
