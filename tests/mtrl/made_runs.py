"""Run folders made by hand: every score and evaluation is given, nothing is trained."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtrl.config.defaults import default_config
from mtrl.tracking.tags import task_tag

BUDGET, POINTS = 4000, 4  # steps per task, and evaluations at equal distances, the last at the end
PROTOCOL = {"episodes": 10, "starts": "drawn", "success": "at any step", "trained_in": "s", "scored_in": "s"}


def make_run(
    root: Path,
    agent: str = "care",
    seed: int = 0,
    scores: Mapping[str, float] | None = None,
    curves: Mapping[str, Sequence[float]] | None = None,
    *,
    chance: Mapping[str, float] | None = None,
    protocol: Mapping[str, Any] = PROTOCOL,
    facts: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    name: str = "",
    evaluated: str = "",
    parameters: int = 1000,
    suite: str = "tabletop",
    groups: Mapping[str, str] | None = None,
    result_facts: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Path:
    """Write a finished run; with ``chance``, tasks say no success: scores are returns, and so many for random actions.

    A task's curve has ``POINTS`` values; unless given, it is the final score throughout. ``evaluated`` is its tag,
    where it is not that of the score. ``groups`` are those of tasks, ``result_facts`` what else its result holds.
    """
    scores = {"reach": 0.5, "push": 0.25} if scores is None else scores
    path = root / suite / agent / (name or f"seed{seed}")
    path.mkdir(parents=True)
    config = default_config(suite, agent)
    own = dataclasses.replace(config.settings, **(settings or {}))
    config = dataclasses.replace(config, seed=seed, settings=own, **{"steps_per_task": BUDGET, **fields})
    told = {"versions": {"torch": "2.0"}, "git": {"commit": "c" * 40, "changed": False}, **(facts or {})}
    (path / "config.json").write_text(json.dumps({**config.to_json(), **told}))
    result = result_of(
        scores, chance, suite=suite, agent=agent, seed=seed, parameters=parameters, protocol=dict(protocol)
    )
    for task, group in (groups or {}).items():
        result["tasks"][task]["group"] = group
    (path / "result.json").write_text(json.dumps({**result, **(result_facts or {})}))
    curves = {task: [score] * POINTS for task, score in scores.items()} if curves is None else curves
    with (path / "metrics.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "seconds", "tag", "value"])
        for place in range(POINTS):
            step = config.steps_per_task * (place + 1) // POINTS
            writer.writerow([step, "1.00", "train/q_mean", "3"])
            for task, values in curves.items():
                tag = evaluated or ("eval/success_rate" if chance is None else "eval/return")
                writer.writerow([step, "1.00", task_tag(tag, task), f"{values[place]:.10g}"])
    return path


def result_of(
    scores: Mapping[str, float], chance: Mapping[str, float] | None = None, *, seed: int, **facts: Any
) -> dict[str, Any]:
    """What ``result.json`` holds of a run with these scores."""
    return {
        "seed": seed,
        "env_steps": BUDGET * len(scores),
        "updates": 100 + seed,
        "wall_seconds": 60.0 + seed,
        "parameters": 1000,
        "tasks": {task: _entry(task, score, chance) for task, score in scores.items()},
        "protocol": dict(PROTOCOL),
        **facts,
    }


def _entry(task: str, score: float, chance: Mapping[str, float] | None) -> dict[str, Any]:
    if chance is None:
        return {"success_any": score, "success_last": score, "return": 100 * score, "episodes": 10}
    return {
        "success_any": None,
        "success_last": None,
        "return": score,
        "episodes": 10,
        "random_return": chance.get(task),
    }
