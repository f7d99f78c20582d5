"""The origin and state of a suite, recorded with a run so that it can be found again."""

from __future__ import annotations

import hashlib
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from envs.registry import OBJECT_PREFIX, form_of, installed
from mtrl.runs.git import commit_of


def origin_of(suite: str) -> dict[str, Any]:
    """Return the form in which a suite is named and, for one of the user's own, the state of its file.

    A module must already be imported. A file's ``git`` is its folder's commit and whether the file differs from it.
    """
    form = form_of(suite)
    origin: dict[str, Any] = {"form": form}
    if form == "toml":
        return origin | state_of(Path(suite))
    if form == "module":
        return origin | _module(suite.partition(":")[0])
    if form == "installed":
        return origin | _package(installed()[suite])
    if form == "ids":
        modules = {id_.rpartition(":")[0].strip() for id_ in suite.removeprefix("gym:").split(",")} - {""}
        return origin | ({"modules": {name: _module(name) for name in sorted(modules)}} if modules else {})
    return origin


def same_suite(recorded: str, given: str) -> bool:
    """Return whether a suite may be the one that a run recorded: a suite passed as an object may have any name."""
    return recorded == given or recorded.startswith(OBJECT_PREFIX)


def has_changed(suite: str, facts: dict[str, Any]) -> bool:
    """Return whether the file of a suite of the user's own is known to differ from when a run recorded ``facts``."""
    recorded = (facts.get("suite_source") or {}).get("sha256")
    try:
        return recorded is not None and origin_of(suite).get("sha256") not in (None, recorded)
    except (OSError, KeyError):  # it is no longer where it was, and another one was given
        return False


def state_of(file: Path) -> dict[str, Any]:
    """Return a file's full path, its SHA-256, and the commit of its checkout, if any."""
    file = file.resolve()
    return {"file": str(file), "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "git": commit_of(file)}


def _module(name: str) -> dict[str, Any]:
    file = getattr(sys.modules.get(name), "__file__", None)
    return {} if file is None else state_of(Path(file))


def _package(point: EntryPoint) -> dict[str, Any]:
    package = {} if point.dist is None else {"package": point.dist.name, "version": point.dist.version}
    return package | _module(point.module)
