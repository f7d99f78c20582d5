"""Group runs of the same agent and settings; a group's label states what distinguishes it from others of that agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.registry.compose import SLOTS
from agents.registry.lookup import from_outside
from mtrl.config import TrainConfig
from mtrl.config.defaults import default_config
from mtrl.config.options import options_changing
from mtrl.gathering.run import Run

IDENTITY = ("agent", *(slot for slot in SLOTS if slot != "critic"))  # these define an agent; the rest are settings


@dataclass(frozen=True)
class Group:
    """Runs of one agent that differ only in the seed; ``label`` is the agent's name with its distinguishing settings.

    ``settings`` has the settings that define the agent, by name; ``runs`` are ordered by seed.
    """

    label: str
    agent: str
    settings: dict[str, Any]
    runs: tuple[Run, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The runs' seeds, in increasing order."""
        return tuple(run.config.seed for run in self.runs)


def settings_of(config: TrainConfig[Any]) -> dict[str, Any]:
    """Return the settings that define a run's agent: updates per step, replay, and the agent's own settings.

    For a run that started from another, the latter's parent folder counts, since each seed starts from another run of
    the same agent.
    """
    source = config.from_run
    return {**options_changing(config, "agent"), "from_run": None if source is None else str(source.parent)}


def group_runs(runs: Sequence[Run]) -> tuple[tuple[Group, ...], list[str]]:
    """Sort runs into groups, in order of appearance; return the groups and a warning for each run that was left out.

    Of runs with the same settings and seed, the one that finished last is used.
    """
    found: list[tuple[dict[str, Any], dict[int, Run]]] = []
    warnings = []
    for run in runs:
        settings = settings_of(run.config)
        mine = next((seeds for other, seeds in found if other == settings), None)
        if mine is None:
            mine = {}
            found.append((settings, mine))
        twin = mine.get(run.config.seed)
        mine[run.config.seed] = run if twin is None or run.finished >= twin.finished else twin
        if twin is not None:
            kept = mine[run.config.seed]
            left = twin if kept is run else run
            warnings.append(
                f"left out: {str(left.path)!r} has the settings and seed of {str(kept.path)!r}, which is newer"
            )
    labels = _labels([settings for settings, _ in found], runs[0].config.suite)
    groups = tuple(
        Group(label, settings["agent"], settings, tuple(seeds[seed] for seed in sorted(seeds)))
        for label, (settings, seeds) in zip(labels, found, strict=True)
    )
    return groups, warnings


def _labels(all_settings: Sequence[dict[str, Any]], suite: str) -> list[str]:
    """Return each group's label: the agent, exchanged pieces, and settings in which groups of that agent differ.

    Settings at the suite's defaults are not named.
    """
    labels = []
    for settings in all_settings:
        agent = settings["agent"]
        default = _defaults(suite, settings)
        peers = [other for other in all_settings if other["agent"] == agent]
        apart = [
            f"{name}={shown(value)}"
            for name, value in settings.items()
            if (name not in default or value != default[name])
            and ((name in IDENTITY and name in default) or any(other.get(name) != value for other in peers))
        ]
        labels.append(f"{agent} ({', '.join(apart)})" if apart else agent)
    return labels


def _defaults(suite: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of an agent and of its pieces' settings on a suite, including the agent's own pieces.

    Defaults of the user's own modules are not known, as those are not imported.
    """
    agent = settings["agent"]
    if from_outside(agent):
        return {}
    own = settings_of(default_config(suite, agent))
    pieces = {slot: settings[slot] for slot in SLOTS if slot in settings and not from_outside(settings[slot])}
    return {**settings_of(default_config(suite, agent, pieces=pieces)), **{k: own[k] for k in SLOTS if k in own}}


def shown(value: Any) -> str:
    """Return a setting's value as text, with widths as 64x64."""
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
