"""Agents and pieces by name: built in, installed by a package, or the user's own. Importing this needs no torch."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from agents.registry.pieces import PIECES
from agents.registry.presets import PRESETS
from agents.registry.spec import AgentSpec, Kind, RegistryError, Spec

# Each kind's entry-point group.
GROUPS: dict[Kind, str] = {
    "agent": "mtrl.agents",
    "encoder": "mtrl.encoders",
    "trunk": "mtrl.trunks",
    "aggregator": "mtrl.aggregators",
    "sampler": "mtrl.samplers",
    "penalty": "mtrl.penalties",
    "head": "mtrl.heads",
}
KINDS: tuple[Kind, ...] = tuple(GROUPS)


def resolve(kind: Kind, name: str) -> Spec:
    """Return what ``name`` stands for: a built-in name, an entry point of the kind's group, or
    ``module:attribute``.

    At ``module:attribute`` is a ``Spec``, or for a piece its class or function alone, described by the first sentence
    of its docstring. Raises ``RegistryError``, in one line, where there is no such thing.
    """
    if name in built_in(kind):
        return built_in(kind)[name]
    if ":" in name:
        return _as_spec(kind, name, _from_module(kind, name), name)
    points = installed(kind)
    if name in points:
        return _from_point(kind, points[name])
    known = [*built_in(kind), *points]
    raise RegistryError(f"unknown {kind} {name!r}; known: {', '.join(known)}.", name, known)


def resolve_agent(name: str) -> AgentSpec:
    """Return the agent that ``name`` stands for, as ``resolve`` does."""
    spec = resolve("agent", name)
    assert isinstance(spec, AgentSpec)
    return spec


def built_in(kind: Kind) -> dict[str, Any]:
    """Return the built-in agents or pieces of a kind, by name."""
    return {**PRESETS} if kind == "agent" else PIECES[kind]


def installed(kind: Kind) -> dict[str, EntryPoint]:
    """Return what installed packages offer in a kind's entry-point group, by name; nothing is imported."""
    return {point.name: point for point in entry_points(group=GROUPS[kind])}


def from_outside(name: str) -> bool:
    """Return whether a name is ``module:attribute``, which takes importing a module of the user's."""
    return ":" in name


def learned_alone(agent: str) -> bool:
    """Return whether an agent, by name, shares nothing between tasks, so that it shows what a task reaches alone.

    It imports no module of the user's, so an agent in one never counts.
    """
    try:
        return not from_outside(agent) and resolve_agent(agent).single_task
    except RegistryError:
        return False


def _from_point(kind: Kind, point: EntryPoint) -> Spec:
    package = f" of package {point.dist.name}" if point.dist else ""
    try:
        found = point.load()
    except (Exception, SystemExit) as error:
        raise RegistryError(
            f"{kind} {point.name!r}{package} ({point.value}) cannot be loaded: {one_line(error)}"
        ) from error
    return _as_spec(kind, point.name, found, f"{point.value}{package}")


def _from_module(kind: Kind, path: str) -> Any:
    module_name, _, attribute = path.partition(":")
    if not module_name or not attribute:
        raise RegistryError(f"{kind} {path!r} is not of the form module:attribute, as in my_module:mine")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise RegistryError(
            f"{kind} {path!r}: no module named {error.name!r}; run in the folder that holds it, or install it"
        ) from error
    except (Exception, SystemExit) as error:
        raise RegistryError(f"{kind} {path!r}: importing {module_name!r} failed: {one_line(error)}") from error
    if not hasattr(module, attribute):
        public = [name for name in vars(module) if not name.startswith("_")]
        raise RegistryError(f"{kind} {path!r}: {module_name!r} has no {attribute!r}.", attribute, public)
    return getattr(module, attribute)


def _as_spec(kind: Kind, name: str, found: Any, source: str) -> Spec:
    if isinstance(found, Spec):
        if found.kind != kind:
            raise RegistryError(f"{kind} {name!r} is of kind {found.kind}, not {kind}")
        return dataclasses.replace(found, name=name, source=source)
    if kind == "agent":
        raise RegistryError(f"agent {name!r} is {type(found).__name__}, not an agent; make one with mtrl.preset(...)")
    if not callable(found):
        raise RegistryError(f"{kind} {name!r} is {type(found).__name__}; give a class, a function or an mtrl.Spec")
    sentence = (inspect.getdoc(found) or "").partition("\n\n")[0].replace("\n", " ").strip().rstrip(".")
    network = kind in ("encoder", "trunk")
    return Spec(
        kind, name, sentence or "(no docstring)", found, None, network, network, own_weights=network, source=source
    )


def one_line(error: BaseException) -> str:
    """Return ``TypeName: first line`` of an exception; as in ``envs.errors``, which agents may not import."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__
