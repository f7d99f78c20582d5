"""Where suites come from besides the built-in ones: installed packages, TOML files, Gymnasium ids, modules."""

from __future__ import annotations

import importlib
import inspect
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator

from envs.errors import SuiteError, nearest, one_line
from envs.success import SuccessFromInfo, SuccessFromReturn
from envs.suite import Task, TaskSuite

MAX_EPISODE_STEPS = 10**9


def load_installed(point: EntryPoint, options: Mapping[str, Any] | None = None) -> TaskSuite:
    """Return the suite behind an entry point. Raises ``SuiteError`` if it is broken."""
    name = f"suite {point.name!r} of an installed package ({point.value})"
    try:
        found = point.load()
    except (Exception, SystemExit) as error:
        raise SuiteError(f"{name}: loading it failed: {one_line(error)}") from error
    return as_suite(found, name, options=options)


def from_module(path: str, name: str = "", argument: str = "", options: Mapping[str, Any] | None = None) -> TaskSuite:
    """Return the suite at ``module:attribute``: an object, or a function that returns one.

    ``name`` is the user's name for it; ``argument`` and ``options`` are passed to the function.
    """
    module_name, _, attribute = path.partition(":")
    if not module_name or not attribute:
        raise SuiteError(f"suite {path!r} is not of the form module:attribute, as in my_module:suite")
    try:
        module = importlib.import_module(module_name)
    except SuiteError:
        raise
    except ModuleNotFoundError as error:
        raise SuiteError(
            f"suite {path!r}: no module named {error.name!r}; run in the folder that holds it, or install it"
        ) from error
    except (Exception, SystemExit) as error:
        raise SuiteError(f"suite {path!r}: importing {module_name!r} failed: {one_line(error)}") from error
    if not hasattr(module, attribute):
        public = [n for n in vars(module) if not n.startswith("_")]
        raise SuiteError(f"suite {path!r}: {module_name!r} has no {attribute!r}.{nearest(attribute, public)}")
    return as_suite(getattr(module, attribute), f"suite {name or path!r}", argument, options)


def as_suite(found: Any, name: str, argument: str = "", options: Mapping[str, Any] | None = None) -> TaskSuite:
    """Return ``found``, or its result when called with the ``argument``, if any, and the options that it accepts.

    Raises ``SuiteError`` if neither is a suite, and for an argument or an option that it does not accept.
    """
    unused = {k: v for k, v in (options or {}).items() if v not in ("", "auto", None)}
    if inspect.isroutine(found) or inspect.isclass(found) or isinstance(found, partial):
        parameters = inspect.signature(found).parameters
        accepted = {k: v for k, v in unused.items() if k in parameters}
        positional = [argument] if argument else []
        if positional and "argument" not in parameters:
            raise SuiteError(f"{name} takes no argument after a colon; it was given {argument!r}")
        try:
            found, unused = found(*positional, **accepted), {k: v for k, v in unused.items() if k not in accepted}
        except SuiteError:
            raise
        except (Exception, SystemExit) as error:
            raise SuiteError(f"{name}: calling it failed: {one_line(error)}") from error
    elif argument:
        raise SuiteError(f"{name} takes no argument after a colon; it was given {argument!r}")
    if not isinstance(found, TaskSuite):
        raise SuiteError(f"{name} is a {type(found).__name__}, not a TaskSuite or a function that returns one")
    return without_options(found, unused)


def without_options(suite: TaskSuite, options: Mapping[str, Any]) -> TaskSuite:
    """Return ``suite``, which takes no options. Raises ``SuiteError`` for any that is given except ``goal_seed``."""
    for option, value in options.items():
        if value not in ("", "auto", None) and option != "goal_seed":
            raise SuiteError(f"suite {suite.name!r} has no option --{option.replace('_', '-')}; remove it")
    return suite


def from_ids(spec: str) -> TaskSuite:
    """Return a suite of Gymnasium ids: ``gym:Pendulum-v1,MountainCarContinuous-v0``; an id may be ``module:ID``."""
    ids = [part.strip() for part in spec.removeprefix("gym:").split(",") if part.strip()]
    if not ids:
        raise SuiteError(f"suite {spec!r} names no Gymnasium id; write gym:Pendulum-v1,MountainCarContinuous-v0")
    tasks = [Task(_plain(id_), _maker(id_, {}, f"suite {spec!r}"), f"Solve {_words(id_)}.") for id_ in ids]
    return TaskSuite(f"gym-{'+'.join(map(_plain, ids))}", tasks)


def from_toml(path: Path) -> TaskSuite:
    """Return the suite in a TOML file: a ``name``, and ``[[task]]`` tables, each with a ``name`` and an ``id``.

    A task may also have ``kwargs`` (a table), ``description``, ``max_episode_steps``, and ``success``:
    ``{ info_key = "..." }`` or ``{ return_at_least = number }``.
    """
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is not a regular file")
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SuiteError(f"suite {str(path)!r}: no such file in {Path.cwd()}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise SuiteError(f"suite {str(path)!r} cannot be read as TOML: {one_line(error)}") from None
    where = f"suite {str(path)!r}"
    _check_keys(data, {"name": str, "task": list}, {"name", "task"}, where)
    return TaskSuite(data["name"], [_toml_task(entry, f"{where}, task {k}") for k, entry in enumerate(data["task"])])


_TASK_KEYS: dict[str, Any] = {
    "name": str,
    "id": str,
    "kwargs": dict,
    "description": str,
    "max_episode_steps": int,
    "success": dict,
}


def _toml_task(entry: Any, where: str) -> Task:
    if not isinstance(entry, dict):
        raise SuiteError(f"{where} is {entry!r}, not a table; write [[task]]")
    _check_keys(entry, _TASK_KEYS, {"name", "id"}, where)
    kwargs, steps = dict(entry.get("kwargs", {})), entry.get("max_episode_steps")
    if steps is not None:
        if not 1 <= steps <= MAX_EPISODE_STEPS:
            raise SuiteError(f"{where}: max_episode_steps is {steps}; it must be from 1 to {MAX_EPISODE_STEPS}")
        kwargs["max_episode_steps"] = steps  # replaces the id's own limit
    make = _maker(entry["id"], kwargs, where)
    if "render_mode" in kwargs:
        _check_render_mode(entry["id"], kwargs["render_mode"], where)
    if "success" in entry:
        make = partial(_with_success, make, _success_wrapper(entry["success"], where))
    return Task(entry["name"], make, entry.get("description", f"Solve {_words(entry['id'])}."))


def _success_wrapper(rule: dict[str, Any], where: str) -> Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]]:
    _check_keys(rule, {"info_key": str, "return_at_least": (int, float)}, set(), f"{where}, success")
    if len(rule) != 1:
        raise SuiteError(
            f"{where}: success is {rule!r}; give one of {{ info_key = '...' }} and {{ return_at_least = number }}"
        )
    if not math.isfinite(rule.get("return_at_least", 0)):
        raise SuiteError(f"{where}: success is {rule!r}; return_at_least must be a finite number")
    if "info_key" in rule:
        return partial(SuccessFromInfo, key=rule["info_key"])
    return partial(SuccessFromReturn, threshold=float(rule["return_at_least"]))


def _with_success(make: Callable[..., Any], wrap: Callable[[Any], Any], **kwargs: Any) -> Any:
    return wrap(make(**kwargs))


def _maker(id_: str, kwargs: dict[str, Any], where: str) -> Callable[..., gym.Env[Any, Any]]:
    """Return the function that makes a registered id. ``module:ID`` imports the module first."""
    module, _, name = id_.rpartition(":")
    if module:
        try:
            importlib.import_module(module)
        except (Exception, SystemExit) as error:
            raise SuiteError(f"{where}: importing {module!r} for the id {id_!r} failed: {one_line(error)}") from error
    if name not in gym.registry:
        hint = nearest(name, gym.registry) or " Name the module that registers it, as in my_module:Name-v0."
        raise SuiteError(f"{where}: unknown Gymnasium id {name!r}.{hint}")
    if reserved := kwargs.keys() & {"id", "disable_env_checker"}:
        raise SuiteError(
            f"{where}: kwargs has {min(reserved)!r}, which is not an argument of the environment; remove it"
        )
    return partial(gym.make, name, disable_env_checker=True, **kwargs)


def _check_render_mode(id_: str, mode: Any, where: str) -> None:
    """Raise ``SuiteError`` for a render mode that the environment's class does not list; Gymnasium would only warn."""
    entry = gym.registry[id_.rpartition(":")[2]].entry_point
    try:
        creator: Any = load_env_creator(entry) if isinstance(entry, str) else entry
    except Exception as error:
        raise SuiteError(f"{where}: importing the entry point of {id_!r} failed: {one_line(error)}") from error
    known = getattr(creator, "metadata", {}).get("render_modes", [mode])
    if mode not in known:
        raise SuiteError(f"{where}: render_mode is {mode!r}; it may be {', '.join(map(str, known))}, or left out")


def _check_keys(data: dict[str, Any], known: dict[str, Any], required: Iterable[str], where: str) -> None:
    for key, value in data.items():
        if key not in known:
            raise SuiteError(f"{where}: unknown key {key!r}; known: {', '.join(known)}.{nearest(key, known)}")
        expected = known[key]
        if not isinstance(value, expected) or isinstance(value, bool):
            names = getattr(expected, "__name__", "number")
            raise SuiteError(f"{where}: {key} is {value!r}; expected a {names}")
    for key in required:
        if key not in data:
            raise SuiteError(f"{where}: {key!r} is missing; give it")


def _plain(id_: str) -> str:
    return id_.rpartition(":")[2].replace("/", "-")


def _words(id_: str) -> str:
    """Return an id in words: ``module:Space/MountainCarContinuous-v0`` gives ``mountain car continuous``."""
    name = _plain(id_).rsplit("-v", 1)[0].rsplit("-", 1)[-1]
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
