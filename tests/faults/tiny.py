"""Trainings of a second or two, and what of them follows from their seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mtrl.pictures.learning_curves
import mtrl.training.session  # noqa: F401  # imported once, before anything is forked off
from mtrl.checkpoints.saving import Saving
from mtrl.training.moment import Moment
from tests.faults.children import Child, training
from tests.faults.walks import EPISODE
from tests.mtrl.conftest import metrics, read_json, same_weights

COPIES = 2
SMALL = (
    *("--agent", "mtsac", "--baseline", "none", "--envs-per-task", str(COPIES), "--random-steps", "40"),
    *("--batch-per-task", "4", "--eval-every", "150", "--eval-episodes", "2", "--log-every", "20"),
    *("--hidden", "16", "--threads", "1", "--diagnose-every", "0"),
)
TABLETOP = ("--suite", "tabletop", "--tasks", "reach", "push")
WALKS = ("--suite", "tests.faults.walks:suite")


def tiny(suite: tuple[str, ...], runs_dir: Path, *more: str, steps: int = 300) -> list[str]:
    """Return the arguments of a tiny training."""
    return [*suite, *SMALL, "--steps-per-task", str(steps), "--runs-dir", str(runs_dir), *more]


def run_in(runs_dir: Path) -> Path:
    """Return the one run below a folder."""
    (config,) = runs_dir.rglob("seed0/config.json")
    return config.parent


def left_alone(arguments: list[str], prepare: Callable[[], None], log: Path) -> None:
    """Train in a child to the end. Raises ``RuntimeError`` where it does not come there."""
    child = Child(training(arguments, prepare), log)
    code = child.wait()
    if code != 0:
        raise RuntimeError(f"a training that nobody disturbs ended with {code}: {child.last_line()}")


def differences(run: Path, other: Path) -> str:
    """Return in words what differs between two runs of one seed, empty where nothing does."""
    if not (run / "result.json").is_file():
        return f"{run} is unfinished"
    differ = {
        "weights": not same_weights(run, other),
        "metrics": _rows(run) != _rows(other),
        "scores": read_json(run / "result.json")["tasks"] != read_json(other / "result.json")["tasks"],
    }
    return ", ".join(f"{name} differ" for name, does in differ.items() if does)


def saving_often() -> None:
    """Save all the time, in this process."""
    Saving._interval = lambda self: 0.03  # type: ignore[method-assign]


def saving_between_episodes() -> None:
    """Save whenever no episode of the walks is open, in this process."""

    def call(self: Saving, now: Moment) -> None:
        if now.span.step % (EPISODE * COPIES) == 0:
            self.save(now.span.step)

    Saving.__call__ = call  # type: ignore[method-assign, assignment]


def _rows(run: Path) -> list[tuple[int, str, float]]:
    """Return a run's log but for what says how long it took."""
    return [row for row in metrics(run) if not row[1].startswith("time/") and row[1] != "final/wall_seconds"]
