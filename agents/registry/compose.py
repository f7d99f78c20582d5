"""Agents made of pieces: which settings a choice of pieces has, and which pieces fit together. Free of torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from agents.registry.agent_settings import AgentSettings
from agents.registry.lookup import from_outside, resolve
from agents.registry.settings import ContextSettings, SACSettings
from agents.registry.spec import AgentSpec, Kind, RegistryError, Spec

# The settings that name pieces, and the kind of each.
SLOTS: dict[str, Kind] = {
    "encoder": "encoder",
    "trunk": "trunk",
    "aggregator": "aggregator",
    "sampler": "sampler",
    "penalty": "penalty",
    "critic": "head",
}
# The slots that decide what tasks share; an agent that shares nothing keeps its own pieces in all of them.
SHARING = ("encoder", "trunk", "aggregator", "sampler")


def pieces_of(agent: AgentSpec, chosen: Mapping[str, str] | None = None) -> dict[str, Spec]:
    """Return an agent's pieces by slot, those in ``chosen`` (slot to name) in place of its own.

    Raises ``RegistryError`` for an unknown piece and for pieces that do not fit together.
    """
    chosen = {slot: name for slot, name in (chosen or {}).items() if slot in SLOTS}
    if not agent.of_pieces:
        if chosen:
            slot = next(iter(chosen))
            raise RegistryError(
                f"agent {agent.name!r} is not made of pieces, so it has no --{slot}; give it to one that is, as in "
                "--agent mtsac"
            )
        return {}
    for slot in agent.pieces:
        if slot not in SLOTS:
            raise RegistryError(f"agent {agent.name!r} has no piece {slot!r}; known: {', '.join(SLOTS)}.", slot, SLOTS)
    plain = {slot: getattr(SACSettings, slot) for slot in SLOTS}
    names = {**plain, **agent.pieces, **chosen}
    pieces = {slot: resolve(kind, names[slot]) for slot, kind in SLOTS.items()}
    _check_fit(agent, pieces)
    return pieces


def settings_type(agent: AgentSpec, chosen: Mapping[str, str] | None = None) -> type[AgentSettings]:
    """Return the dataclass of an agent's settings: those of every SAC, and what each of its pieces adds.

    The same pieces always have the same class, whose defaults name them. Raises ``RegistryError`` as ``pieces_of``
    does, for settings that are not a frozen dataclass, and where two pieces have a setting of the same name.
    """
    pieces = pieces_of(agent, chosen)
    if not agent.of_pieces:
        return _own_type(agent)
    bases: list[type[Any]] = []
    owners = dict.fromkeys((field.name for field in dataclasses.fields(SACSettings)), (SACSettings, "every agent"))
    for slot, piece in pieces.items():
        for base in (piece.settings, ContextSettings if piece.reads_context else None):
            if base is None or base in bases:
                continue
            _check_settings(base, f"{slot} {piece.name!r}", owners)
            bases.append(base)
    names = tuple((slot, piece.name) for slot, piece in pieces.items())
    most_special = [base for base in bases if not any(o is not base and issubclass(o, base) for o in bases)]
    return _composed(names, (*most_special, SACSettings))


def recorded_settings(values: Mapping[str, Any]) -> AgentSettings:
    """Return the settings in a run's file, without importing the pieces that they belong to."""
    base = recorded_base(values)
    known = {field.name for field in dataclasses.fields(base)}
    extra = [(name, Any, value) for name, value in values.items() if name not in known]
    return dataclasses.make_dataclass("RecordedSettings", extra, bases=(base,), frozen=True)(**values)


def recorded_base(values: Mapping[str, Any]) -> type[AgentSettings]:
    """Return the kit's class that the settings in a run's file extend."""
    return SACSettings if "trunk" in values else AgentSettings


def pieces_named(settings: AgentSettings) -> dict[str, str]:
    """Return the pieces that settings name, by slot; none where the agent is not made of pieces."""
    return {slot: getattr(settings, slot) for slot in SLOTS} if isinstance(settings, SACSettings) else {}


def uncapturable(agent: AgentSpec, settings: AgentSettings) -> str:
    """Return why an agent's update cannot be captured in a CUDA graph; empty if it can."""
    if not agent.of_pieces:
        return f"agent {agent.name!r} is not made of the kit's pieces"
    pieces = pieces_of(agent, pieces_named(settings))
    return next(
        (f"{slot} {piece.name!r} cannot be captured" for slot, piece in pieces.items() if not piece.capturable), ""
    )


def outside_names(agent: str, settings: AgentSettings) -> list[str]:
    """Return the names of the user's own modules that an agent is made of, as they would be imported."""
    return [name for name in (agent, *pieces_named(settings).values()) if from_outside(name)]


def _check_fit(agent: AgentSpec, pieces: Mapping[str, Spec]) -> None:
    encoder, trunk = pieces["encoder"], pieces["trunk"]
    if encoder.shares and not trunk.shares:
        raise RegistryError(
            f"trunk {trunk.name!r} shares nothing between tasks, but encoder {encoder.name!r} is one network for all "
            "of them; use another trunk, or --encoder none"
        )
    penalty = pieces["penalty"]
    if penalty.own_weights and not trunk.own_weights:
        raise RegistryError(
            f"penalty {penalty.name!r} acts on task-specific weights, and trunk {trunk.name!r} has "
            "none; use --trunk separate, or another penalty"
        )
    if penalty.own_weights and agent.single_task:
        raise RegistryError(
            f"agent {agent.name!r} is the baseline whose tasks share nothing, and penalty {penalty.name!r} pulls their "
            "weights together; use --agent soft-sharing, or another penalty"
        )
    aggregator = pieces["aggregator"]
    if aggregator.needs_sharing and not agent.single_task and not (encoder.shares or trunk.shares):
        raise RegistryError(
            f"aggregator {aggregator.name!r} combines gradients of shared weights, but encoder {encoder.name!r} and "
            f"trunk {trunk.name!r} share nothing; use --aggregator sum, or --trunk shared"
        )
    sampler = pieces["sampler"]
    if sampler.needs_sharing and not agent.single_task and not (encoder.shares or trunk.shares):
        raise RegistryError(
            f"sampler {sampler.name!r} needs gradients of shared weights, but encoder {encoder.name!r} and "
            f"trunk {trunk.name!r} share nothing; use --sampler loss, or --trunk shared"
        )
    for slot in SHARING if agent.single_task else ():
        own = agent.pieces.get(slot, getattr(SACSettings, slot))
        if pieces[slot].name != own:
            raise RegistryError(
                f"agent {agent.name!r} is the baseline whose tasks share nothing, so its {slot} stays {own!r}; "
                f"give --{slot} {pieces[slot].name} to another agent, as in --agent mtsac"
            )


def _check_settings(kind: Any, whose: str, owners: dict[str, tuple[type[Any], str]]) -> None:
    """Raise ``RegistryError`` for settings that cannot be joined to those in ``owners``; add them to it."""
    traits = getattr(kind, "__dataclass_params__", None)
    if traits is None or not traits.frozen:
        raise RegistryError(
            f"the settings of {whose} are not a frozen dataclass: write @dataclass(frozen=True) above them"
        )
    for field in dataclasses.fields(kind):
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise RegistryError(f"setting {field.name!r} of {whose} has no default; give it an immutable one")
        other, theirs = owners.setdefault(field.name, (defining_class(kind, field.name), whose))
        if other is not defining_class(kind, field.name):
            raise RegistryError(f"{whose} and {theirs} both have a setting {field.name!r}; rename one of them")


def defining_class(settings: type[Any], name: str) -> type[Any]:
    """Return the class that defines a setting."""
    return next(base for base in reversed(settings.__mro__) if name in vars(base).get("__annotations__", {}))


def _own_type(agent: AgentSpec) -> type[AgentSettings]:
    """Return the settings of an agent that is not made of pieces, with the kit's base class added if missing."""
    own = agent.settings or AgentSettings
    if issubclass(own, AgentSettings):
        return own
    _check_settings(own, f"agent {agent.name!r}", {})
    return _composed((), (own, AgentSettings))


@lru_cache(maxsize=256)
def _composed(names: tuple[tuple[str, str], ...], bases: tuple[type[Any], ...]) -> type[AgentSettings]:
    metadata = {field.name: field.metadata for base in bases for field in dataclasses.fields(base)}
    fields = [(slot, str, dataclasses.field(default=name, metadata=metadata[slot])) for slot, name in names]

    def reduce(settings: Any) -> tuple[Any, ...]:
        return _restored, (names, bases, vars(settings))

    # pickle would look for the class as an attribute of a module, and it is not one.
    return dataclasses.make_dataclass("Settings", fields, bases=bases, frozen=True, namespace={"__reduce__": reduce})


def _restored(names: tuple[tuple[str, str], ...], bases: tuple[type[Any], ...], values: dict[str, Any]) -> Any:
    return _composed(names, bases)(**values)
