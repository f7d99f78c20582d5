"""Suites by name: built in, installed by a package, or the user's own."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

from envs import sources
from envs.errors import SuiteError, nearest
from envs.spaces.values import kind, short
from envs.suite import TaskSuite

ENTRY_POINT_GROUP = "mtrl.suites"
OBJECT_PREFIX = "object:"  # how a run names a suite that was passed as an object
OWN_SUITE_FORMS = "your own: module:attribute, tasks.toml, or gym:ID,ID"

# Built-in suites: name -> "module:attribute". A new family is one module and one line here.
BUILT_IN: dict[str, str] = {
    "tabletop": "envs.tabletop:suite",
    "tabletop-50": "envs.tabletop.fifty:suite",
    "pendulum-gravity": "envs.families.pendulum:gravity",
    "pendulum-length": "envs.families.pendulum:length",
    "cheetah-velocity": "envs.families.mujoco:cheetah_velocity",
    "cheetah-gravity": "envs.families.mujoco:cheetah_gravity",
    "ant-direction": "envs.families.mujoco:ant_direction",
    "hopper-mass": "envs.families.mujoco:hopper_mass",
    "walker-friction": "envs.families.mujoco:walker_friction",
    "fetch": "envs.families.fetch:suite",
    "metaworld/MT1": "envs.metaworld:mt1",
    "metaworld/MT10": "envs.metaworld:mt10",
    "metaworld/MT25": "envs.metaworld:mt25",
    "metaworld/MT50": "envs.metaworld:mt50",
    "metaworld/ML10": "envs.metaworld:ml10",
    "metaworld/ML45": "envs.metaworld:ml45",
}


def make_suite(name: str, **options: Any) -> TaskSuite:
    """Return a suite by name: a built-in one, one from an installed package, or your own.

    Args:
        name: A built-in name, which may take an argument, as in ``pendulum-gravity:5,10``; the name of an installed
            package's entry point in the group ``mtrl.suites``; ``module:attribute``, a ``TaskSuite`` or a function that
            returns one; ``path/to/tasks.toml``; or Gymnasium ids, ``gym:ID,ID``.
        **options: Passed to the suite's function, such as ``engine`` and ``reward_version`` for ``metaworld``, except
            those that are empty or ``auto``.

    Returns:
        The suite. No environment is made yet.

    Raises:
        SuiteError: There is no such suite, it cannot be imported or read, or it does not have an option.

    Example:
        >>> mtrl.make_suite("tabletop").task_names[:3]
        ('reach', 'push', 'pick-place')
        >>> mtrl.make_suite("pendulum-gravity:5,10").task_names
        ('gravity-5', 'gravity-10')
    """
    if not isinstance(name, str):
        raise SuiteError(f"the suite is {short(name)}, of {kind(name)}; give a TaskSuite, or its name as a string")
    form = form_of(name)
    if form == "built-in":
        base, colon, argument = name.partition(":")
        if colon and not argument.strip():
            raise SuiteError(f"suite {name!r} names nothing after its colon; write {base}, or add an argument")
        return sources.from_module(BUILT_IN[base], base, argument, options)
    if form == "ids":
        return sources.without_options(sources.from_ids(name), options)
    if form == "toml":
        return sources.without_options(sources.from_toml(Path(name)), options)
    found = installed()
    if form == "installed":
        return sources.load_installed(found[name], options)
    if form == "module":
        return sources.from_module(name, name, "", options)
    if form == "object":
        raise SuiteError(
            f"suite {name.removeprefix(OBJECT_PREFIX)!r} was passed to mtrl.learn as an object; pass it "
            "again, as in mtrl.load(run, suite=suite), or name it, as in --suite my_module:suite"
        )
    known = [*sorted(BUILT_IN), *sorted(found)]
    raise SuiteError(f"unknown suite {name!r}; known: {', '.join(known)}; {OWN_SUITE_FORMS}.{nearest(name, known)}")


def form_of(name: str) -> Literal["built-in", "ids", "toml", "installed", "object", "module", "unknown"]:
    """Return the form of a suite's name, without importing or reading anything."""
    if name.startswith(OBJECT_PREFIX):
        return "object"
    if name.partition(":")[0] in BUILT_IN:
        return "built-in"
    if name.startswith("gym:"):
        return "ids"
    if name.endswith(".toml"):
        return "toml"
    if name in installed():
        return "installed"
    return "module" if ":" in name else "unknown"


def installed() -> dict[str, EntryPoint]:
    """Return the suites that installed packages offer in the entry-point group ``mtrl.suites``, by name."""
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
