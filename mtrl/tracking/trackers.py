"""The trackers by name: check that one is installed, and start the one of a run."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agents.registry.spec import imported
from envs.errors import one_line, warn
from mtrl.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from mtrl.config import TrainConfig
    from mtrl.tracking.tracker import Tracker


class KnownTracker(NamedTuple):
    """A tracker: the packages of its extra, and the function that starts it for a ``TrackedRun``."""

    packages: tuple[str, ...]
    start: str


TRACKERS = {
    "wandb": KnownTracker(("wandb",), "mtrl.tracking.wandb:start"),
    "mlflow": KnownTracker(("mlflow", "sqlalchemy", "alembic"), "mtrl.tracking.mlflow:start"),
}


def check_tracker(name: str) -> None:
    """Raise ``UsageError`` if a tracker's packages are not installed; they are not imported for that."""
    packages = TRACKERS[name].packages if name in TRACKERS else ()
    missing = [package for package in packages if not _installed(package)]
    if missing:
        raise UsageError(f"--track {name} needs {', '.join(missing)}, not installed: pip install -e '.[{name}]'")


def _installed(package: str) -> bool:
    """Return whether a package is installed; a folder of that name, as trackers create them, does not count."""
    spec = find_spec(package)
    return spec is not None and spec.origin is not None


def trackers_of(config: TrainConfig[Any], suite: str, path: Path, console: Console) -> list[Tracker]:
    """Start the run's tracker, print where it writes, and return it in a list; without one the list is empty.

    A tracker that cannot be started, for example because its server is down, is left out with a warning: the run's
    folder has all results.
    """
    from mtrl.tracking.tracker import Guarded, TrackedRun

    if config.track == "none":
        return []
    name = Path(os.path.relpath(path, config.runs_dir)).as_posix()
    run = TrackedRun(name, path, config.runs_dir, suite, config.agent, params_of(config))
    try:
        tracker = imported(TRACKERS[config.track].start)(run)
    except Exception as error:  # noqa: BLE001  (a library may raise anything without a server, account or disk)
        warn(f"--track {config.track} could not be started; the run continues without it: {one_line(error)}")
        return []
    console.print(f"{config.track}: {tracker.where}", markup=False)
    return [Guarded(config.track, tracker)]


def params_of(config: TrainConfig[Any]) -> dict[str, Any]:
    """Return a run's configuration, with the agent's own settings on the top level."""
    values = {**config.to_json(), **dataclasses.asdict(config.settings)}
    del values["settings"]
    return values


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested tables, joining names by slashes; None values are left out."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}/")
        elif value is not None:
            found[f"{prefix}{name}"] = value
    return found
