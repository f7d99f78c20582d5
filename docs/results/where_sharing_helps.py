"""Tables and pictures of where-sharing-helps.md: ``python docs/results/where_sharing_helps.py RUNS OUT``.

RUNS has ``tabletop-50`` (all fifty tasks) and, in folders ``map/NAME``, the same suite cut down to 10 and 25 tasks and
to the halves ``5a`` and ``5b`` of the ten tasks on which all numbers of tasks are compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mtrl.gathering.curves import Curve, area_under_curve
from mtrl.gathering.gather import find_runs
from mtrl.gathering.run import Run, load_run
from mtrl.tracking.tags import task_tag

Settings = dict[str, object]
# What tells runs of an agent, at its own learning rate, from others: ablations of CARE have another attention.
CARE: Settings = {
    "encoder": "care",
    "aggregator": "mean",
    "learning_rate": 1e-3,
    "attention": "context",
    "attention_temperature": 1.0,
    "detach_context": True,
}
AGENTS: dict[str, Settings] = {
    "hyper": {"encoder": "hyper", "aggregator": "mean", "learning_rate": 1e-3},
    "care": {**CARE, "encoders": 4},
    "care, one encoder": {**CARE, "encoders": 1, "encoder_hidden": (256,)},
    "mtmhsac": {"encoder": "none", "trunk": "multi-head", "aggregator": "mean", "learning_rate": 4e-3},
    "mtsac, context": {"encoder": "context", "trunk": "shared", "aggregator": "mean", "learning_rate": 4e-3},
    "mtsac, one-hot": {"encoder": "one-hot", "trunk": "shared", "aggregator": "mean", "learning_rate": 4e-3},
}
ALONE: Settings = {"trunk": "separate", "learning_rate": 2e-3}
ALL: Settings = {"context": "text+numbers", "network": "mlp", "critic": "scalar", "penalty": "none"}
COLOURS = ("#1f5fa8", "#c8701a", "#b03030", "#4a8a3c", "#8a4a8a", "#555555")
SKILLS = ("reach", "push", "pick-place", "door-open", "drawer-open")
SKILLS += ("drawer-close", "button-press", "peg-insert", "window-open", "window-close")
PLACES = {
    1: tuple(f"map/1-{skill}" for skill in SKILLS),
    5: ("map/5a", "map/5b"),
    10: ("map/10",),
    25: ("map/25",),
    50: (".",),
}
RELATED = ("push", "door-open")
BESIDE = ("hyper", "care", "mtmhsac", "mtsac, one-hot")


def runs_of(folder: Path, settings: Settings) -> list[Run]:
    """Read the runs in a folder of suites that have these settings, and of ``ALL`` those that they have at all.

    None where there is no such folder: what was not trained is left open in the tables.
    """
    if not folder.is_dir():
        return []
    found = [load_run(path) for path in find_runs([folder]) if (path / "result.json").exists()]
    return [
        run
        for run in found
        if settings.items() <= (own := vars(run.config.settings)).items()
        and all(own.get(name, value) == value for name, value in ALL.items())
    ]


def curve_of(run: Run, task: str) -> Curve:
    """Return a task's success through training."""
    return run.curves[task_tag("eval/success_rate", task)]


def area(run: Run, tasks: Sequence[str]) -> float:
    """Return the mean over tasks of the area under the success curve."""
    return float(np.mean([area_under_curve(curve_of(run, task), run.config.steps_per_task) for task in tasks]))


def gains(runs: Path, count: int, agent: str, alone: Sequence[Run]) -> list[float]:
    """Return each seed's gain over single-task in area, mean over the ten skills, learned among ``count`` tasks.

    With one task, that is an agent for each, it is what the network alone is worth.
    """
    by_seed: dict[int, dict[str, float]] = {}
    for place in PLACES[count]:
        for run in runs_of(runs / place / "tabletop-50", AGENTS[agent]):
            own = [task for task in SKILLS if task in run.tasks]
            by_seed.setdefault(run.config.seed, {}).update({task: area(run, [task]) for task in own})
    base = float(np.mean([area(run, SKILLS) for run in alone]))
    return [float(np.mean([*own.values()])) - base for own in by_seed.values() if len(own) == len(SKILLS)]


def gain_curve(runs: Path, count: int, agent: str, alone: Sequence[Run]) -> tuple[np.ndarray, np.ndarray]:
    """Return steps per task, and the gain in success there: mean over seeds and the ten skills."""
    own: list[np.ndarray] = []
    for place in PLACES[count]:
        for run in runs_of(runs / place / "tabletop-50", AGENTS[agent]):
            own += [curve_of(run, task).values - _alone(alone, task) for task in SKILLS if task in run.tasks]
    return curve_of(alone[0], SKILLS[0]).steps, np.mean(own, axis=0)


def related_gains(runs: Path, kind: str, skill: str, alone: Sequence[Run]) -> dict[str, list[float]]:
    """Return each agent's gains over single-task in area, one a seed, on five tasks that are so related."""
    if kind == "variants":
        folder = runs / "map" / f"variants-{skill}" / "tabletop-50"
        sides = list(alone)
    else:
        folder = runs / "map" / kind / f"{skill}-{kind}"
        sides = runs_of(folder, ALONE)
    result: dict[str, list[float]] = {}
    for agent in BESIDE:
        for run in runs_of(folder, AGENTS[agent]):
            base = float(np.mean([area(side, run.tasks) for side in sides]))
            result.setdefault(agent, []).append(area(run, run.tasks) - base)
    return result


def _alone(alone: Sequence[Run], task: str) -> np.ndarray:
    return np.mean([curve_of(run, task).values for run in alone], axis=0)


def draw_tasks(table: dict[str, dict[int, list[float]]], out: Path) -> None:
    """Draw the gain over the number of tasks, a line an agent, a dot a seed."""
    figure = Figure(figsize=(6.6, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.axhline(0, color="#555555", linewidth=0.8)
    for colour, (agent, own) in zip(COLOURS, table.items(), strict=False):
        trained = [count for count, values in own.items() if values]
        axes.plot(trained, [np.mean(own[count]) for count in trained], color=colour, label=agent)
        for count in trained:
            axes.plot([count] * len(own[count]), own[count], ".", color=colour, alpha=0.7)
    axes.set_xscale("log")
    counts = sorted({count for own in table.values() for count, values in own.items() if values})
    axes.set_xticks(counts, [str(count) for count in counts], minor=False)
    axes.set_xticks([], minor=True)
    axes.set_xlabel("tasks learned together")
    axes.set_ylabel("area, gain over single-task")
    figure.legend(frameon=False, loc="outside right upper")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, dpi=110)


def draw_data(lines: dict[int, tuple[np.ndarray, np.ndarray]], out: Path) -> None:
    """Draw CARE's gain over steps per task, a line for each number of tasks."""
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.axhline(0, color="#555555", linewidth=0.8)
    for colour, (count, (steps, gain)) in zip(COLOURS, lines.items(), strict=False):
        axes.plot(steps, gain, color=colour, label=f"{count} task{'s' * (count > 1)}")
    axes.set_xlabel("steps per task")
    axes.set_ylabel("success, gain of care over single-task")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, dpi=110)


def main() -> None:
    """Write both tables to standard output as Markdown, and both pictures into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    alone = runs_of(args.runs / "tabletop-50", ALONE)
    table = {agent: {count: gains(args.runs, count, agent, alone) for count in PLACES} for agent in AGENTS}
    lines = [
        "| agent | " + " | ".join(f"{count} tasks" for count in PLACES).replace("1 tasks", "1 task", 1) + " |",
        "| --- " * (1 + len(PLACES)) + "|",
    ]
    lines += [f"| {agent} | " + " | ".join(map(_cell, own.values())) + " |" for agent, own in table.items()]
    lines += ["", f"| five tasks | skill | {' | '.join(BESIDE)} |", "| --- " * (2 + len(BESIDE)) + "|"]
    for kind in ("twins", "variants", "opposites"):
        for skill in RELATED:
            own = related_gains(args.runs, kind, skill, alone)
            cells = " | ".join(_cell(own.get(agent, [])) for agent in BESIDE)
            lines.append(f"| {kind} | {skill} | {cells} |")
    args.out.mkdir(parents=True, exist_ok=True)
    draw_tasks(table, args.out / "gain-over-tasks.png")
    trained = [count for count, values in table["care"].items() if values]
    draw_data(
        {count: gain_curve(args.runs, count, "care", alone) for count in trained}, args.out / "gain-over-data.png"
    )
    sys.stdout.write("\n".join(lines) + "\n")


def _cell(values: Sequence[float]) -> str:
    if not values:
        return "-"
    seeds = "" if len(values) == 1 else f" ({min(values):+.2f} to {max(values):+.2f}, {len(values)} seeds)"
    return f"{np.mean(values):+.2f}{seeds}"


if __name__ == "__main__":
    main()
