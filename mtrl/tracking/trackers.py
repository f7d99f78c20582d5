"""The trackers by name: whether one is installed, and a run's own."""

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


class Known(NamedTuple):
    """A tracker: the packages of its extra, and the function that starts it for a ``TrackedRun``."""

    packages: tuple[str, ...]
    start: str


TRACKERS = {
    "wandb": Known(("wandb",), "mtrl.tracking.wandb:start"),
    "mlflow": Known(("mlflow", "sqlalchemy", "alembic"), "mtrl.tracking.mlflow:start"),
}


def check_tracker(name: str) -> None:
    """Raise ``UsageError`` where a tracker's packages are not installed; they are looked for, not imported."""
    packages = TRACKERS[name].packages if name in TRACKERS else ()
    missing = [package for package in packages if not _installed(package)]
    if missing:
        raise UsageError(f"--track {name} asks for {', '.join(missing)}, not installed: pip install -e '.[{name}]'")


def _installed(package: str) -> bool:
    """Whether a package is there; a folder of that name, as trackers make them, is none."""
    spec = find_spec(package)
    return spec is not None and spec.origin is not None


def trackers_of(config: TrainConfig[Any], suite: str, path: Path, console: Console) -> list[Tracker]:
    """Start the tracker that a run is to be told to, and say where it writes -> it, or none.

    One that cannot be started, as without its server, is warned of and left out: what a run is worth is in its folder.
    """
    from mtrl.tracking.tracker import Guarded, TrackedRun

    if config.track == "none":
        return []
    name = Path(os.path.relpath(path, config.runs_dir)).as_posix()
    run = TrackedRun(name, path, config.runs_dir, suite, config.agent, params_of(config))
    try:
        tracker = imported(TRACKERS[config.track].start)(run)
    except Exception as error:  # noqa: BLE001  (whatever a library raises where there is no server, account or disk)
        warn(f"--track {config.track} could not be started, the run goes on without: {one_line(error)}")
        return []
    console.print(f"{config.track}: {tracker.where}", markup=False)
    return [Guarded(config.track, tracker)]


def params_of(config: TrainConfig[Any]) -> dict[str, Any]:
    """Return what a run was told, the agent's own settings beside the others."""
    values = {**config.to_json(), **dataclasses.asdict(config.settings)}
    del values["settings"]
    return values


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return nested tables as one, names joined by slashes; what is None is left out."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{above}{name}/")
        elif value is not None:
            found[f"{above}{name}"] = value
    return found
