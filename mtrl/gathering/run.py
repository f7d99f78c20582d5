"""Read a finished run from its folder."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtrl.config import TrainConfig
from mtrl.errors import UsageError
from mtrl.gathering.curves import Curve, read_curves
from mtrl.runs.checksums import check_file
from mtrl.runs.folder import METRICS, RESULT, read_run
from mtrl.runs.reading import check_regular
from mtrl.runs.result import read_result, scores_before
from mtrl.runs.unfinished import how_far
from mtrl.tracking.tags import task_tag


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, ``config``, the rest of config.json (``facts``), result.json, and its evaluations.

    ``curves`` maps a tag such as ``eval/success_rate/push`` to a curve; ``finished`` is in seconds since 1970.
    """

    path: Path
    config: TrainConfig[Any]
    facts: dict[str, Any]
    result: dict[str, Any]
    curves: dict[str, Curve]
    finished: float

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that were scored."""
        return tuple(self.result["tasks"])

    @property
    def before(self) -> dict[str, dict[str, Any]]:
        """Each task's scores before training, of a run that started from another; else empty."""
        return scores_before(self.result)


def load_run(folder: Path) -> Run:
    """Read a finished run. Raises ``UsageError``, naming it, if it is unfinished or damaged."""
    config, facts = read_run(folder)
    try:
        check_file(folder / RESULT)
        check_file(folder / METRICS)
        result = read_result(folder)
        if result.get("stopped"):
            raise UsageError(f"{str(folder)!r} was stopped early, {how_far(folder, config)}")
        check_regular(folder / METRICS)
        curves = read_curves(folder / METRICS)
        _check_complete(curves, result, config)
        finished = (folder / RESULT).stat().st_mtime
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        if missing == RESULT:
            raise UsageError(f"{str(folder)!r} is unfinished, {how_far(folder, config)}: it has no {RESULT}") from None
        raise UsageError(f"{str(folder)!r} is damaged: it has no {missing}") from None
    except UsageError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"{str(folder)!r} is damaged ({error})") from None
    return Run(folder, config, facts, result, curves, finished)


def _check_complete(curves: Mapping[str, Curve], result: dict[str, Any], config: TrainConfig[Any]) -> None:
    """Raise ``ValueError`` if a task's last evaluation, which ends every run, is missing."""
    end = result.get("steps_per_task", config.steps_per_task)
    for name in result["tasks"]:
        tags = [task_tag(f"eval/{measure}", name) for measure in ("success_rate", "return")]
        own = [curves[tag] for tag in tags if tag in curves]
        last = max((int(curve.steps[-1]) for curve in own), default=0)
        if last < end:
            raise ValueError(
                f"{METRICS} is incomplete: task {name!r} has no evaluation after {last} of {end} steps per task"
            )
