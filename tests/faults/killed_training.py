"""Trainings killed at a random moment after their first checkpoint, and gone on with."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.children import Child, training, wait_for
from tests.faults.outcome import Counted, counted
from tests.faults.tiny import (
    TABLETOP,
    WALKS,
    differences,
    left_alone,
    run_in,
    saving_between_episodes,
    saving_often,
    tiny,
)

# The suite and its number of workers, when checkpoints are written, and the share of the trials.
KINDS = (
    ("tabletop", TABLETOP, "0", saving_often, 0.5),
    ("walks", WALKS, "0", saving_between_episodes, 0.25),
    ("walks, 2 workers", WALKS, "2", saving_between_episodes, 0.25),
)


def killed_training(folder: Path, trials: int) -> Counted:
    """Kill trainings, go on with them, and hold the weights, the log and the scores to those of one left alone."""
    said: list[str] = []
    for name, suite, workers, saving, share in KINDS[:trials]:
        place = folder / name.replace(", ", "-").replace(" ", "-")
        place.mkdir(parents=True)
        more = ("--workers", workers)
        begin = time.monotonic()
        left_alone(tiny(suite, place / "whole", *more), saving, place / "whole.log")
        seconds = time.monotonic() - begin
        whole, chance = run_in(place / "whole"), random.Random(0)
        for k in range(max(1, round(share * trials))):
            words = _trial(
                place / str(k), tiny(suite, place / str(k), *more), saving, chance.uniform(0.0, seconds), whole
            )
            said.append(words and f"{name}: {words}")
    return counted(said)


def _trial(runs_dir: Path, arguments: list[str], saving: Callable[[], None], delay: float, whole: Path) -> str:
    """Kill one training and go on with it -> what is wrong with what it came to."""
    log = runs_dir.with_suffix(".log")
    child = Child(training(arguments, saving), log)
    if not wait_for(lambda: any(runs_dir.rglob("checkpoints/latest")) or child.code() is not None, 60.0):
        return "no checkpoint after a minute"
    wait_for(lambda: child.code() is not None, delay)
    child.signal(signal.SIGKILL)
    child.wait()
    run = run_in(runs_dir)
    if not (run / "result.json").is_file():
        suite = arguments[: arguments.index("--agent")]
        again = Child(training(["--resume", str(run), *suite[:2]], saving), log)
        code = again.wait()
        if code != 0:
            return f"going on ended with {code}: {again.last_line()}"
    words = differences(run, whole)
    if not words:
        shutil.rmtree(runs_dir)
    return words
