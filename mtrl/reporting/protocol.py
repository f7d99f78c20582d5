"""The facts needed to compare a report's figures with others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mtrl.comparison.outcomes import Comparison
from mtrl.config import TrainConfig
from mtrl.gathering.gather import Gathered
from mtrl.scoring.many_tasks import Groups

TITLES = {
    "engine": "engine",
    "reward_version": "reward version",
    "starts": "starts of the scored episodes",
    "episodes": "scored episodes per task",
    "success": "definition of success",
    "trained_in": "trained in",
    "scored_in": "scored in",
}


def protocol_of(gathered: Gathered, comparison: Comparison, groups: Groups) -> list[tuple[str, str]]:
    """Return names and values: suite, budget, seeds, the scores' protocol, versions, machine, commit.

    Of many tasks, only the ``groups`` are named.
    """
    runs = gathered.runs
    seeds = {one.label: ", ".join(map(str, one.seeds)) for one in comparison.agents}
    tasks = [f"{group} ({len(own)})" for group, own in groups.items()] or gathered.tasks
    alike = len({*seeds.values()}) == 1
    return [
        ("suite", f"{gathered.suite}: {', '.join(tasks)}"),
        ("environment steps", _budget(gathered.steps_per_task, [run.result["env_steps"] for run in runs])),
        ("seeds", next(iter(seeds.values())) if alike else "; ".join(f"{k}: {v}" for k, v in seeds.items())),
        ("score", comparison.measure_words),
        ("curves", "; ".join(_each(_evaluations(run.config) for run in runs))),
        *((_title(name), _words(value)) for name, value in comparison.protocol.items() if value not in (None, "", {})),
        ("versions", "; ".join(_each(_words({**run.facts.get("versions", {})}) for run in runs))),
        ("machine", "; ".join(_each(_machine(run.facts.get("machine")) for run in runs))),
        ("device", ", ".join(_each(str(run.result.get("device", "not known")) for run in runs))),
        ("commit of the kit", ", ".join(_each(_commit(run.facts.get("git")) for run in runs))),
    ]


def _evaluations(config: TrainConfig[Any]) -> str:
    return f"every {config.eval_every:,} steps per task, {config.eval_episodes} episodes per task"


def _budget(per_task: int, in_all: list[int]) -> str:
    totals = sorted({*in_all})
    total = f"{totals[0]:,}" if len(totals) == 1 else f"{totals[0]:,} to {totals[-1]:,}"
    return f"{per_task:,} per task, {total} in total"


def _title(name: str) -> str:
    return TITLES.get(name, name.replace("_", " "))


def _words(value: Any) -> str:
    """Format a value without JSON syntax."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(own)}" for name, own in value.items())
    return ", ".join(map(_words, value)) if isinstance(value, list | tuple) else str(value)


def _machine(facts: Any) -> str:
    """Return the system and the number of processors, without the kernel's build."""
    if not isinstance(facts, dict):
        return "not known"
    return f"{str(facts.get('system', 'system not known')).partition('-')[0]}, {facts.get('processors')} processors"


def _commit(state: Any) -> str:
    if not isinstance(state, dict) or "commit" not in state:
        return "not known"
    return str(state["commit"])[:9] + (" with uncommitted changes" if state.get("changed") else "")


def _each(values: Iterable[str]) -> list[str]:
    """Return each value once, in order of appearance."""
    return list(dict.fromkeys(values))
