"""Signals at a random moment of a training: what it had done, and what its checkpoint holds."""

from __future__ import annotations

import mmap
import random
import signal
import struct
import time
from pathlib import Path
from typing import Any

from mtrl.training.loop import Training
from tests.faults.children import Child, training, wait_for
from tests.faults.outcome import Counted, counted
from tests.faults.tiny import TABLETOP, run_in, tiny
from tests.mtrl.conftest import read_json

NUMBERS = (signal.SIGTERM, signal.SIGHUP)
SOON = 10.0  # seconds
FOR_EVER = 1_000_000  # steps per task


def signals(folder: Path, trials: int) -> Counted:
    """Send signals, in turn, to trainings that would go on for long; no step of theirs may be lost."""
    chance = random.Random(0)
    return counted([_trial(folder / str(k), NUMBERS[k % len(NUMBERS)], chance) for k in range(trials)])


def _trial(runs_dir: Path, number: signal.Signals, chance: random.Random) -> str:
    """Signal one training -> what was lost."""
    taken = mmap.mmap(-1, 8)  # shared with the child
    runs_dir.mkdir(parents=True)
    arguments = tiny(TABLETOP, runs_dir, "--checkpoint-every", "600", steps=FOR_EVER)
    child = Child(training(arguments, lambda: _counting(taken)), runs_dir / "log")
    if not wait_for(lambda: _read(taken) > 0, 60.0):
        return f"no step in a minute: {child.last_line()}"
    time.sleep(chance.uniform(0.0, 1.5))
    child.signal(number)
    begin = time.monotonic()
    code = child.wait()
    seconds = time.monotonic() - begin
    if code != 128 + number:
        return f"{number.name} ended it with {code}: {child.last_line()}"
    steps = {
        read_json(manifest)["content"]["step"] for manifest in run_in(runs_dir).glob("checkpoints/step*/manifest.json")
    }
    if steps != {_read(taken)}:
        return f"{number.name} after {_read(taken)} steps, and checkpoints hold {steps}"
    return "" if seconds < SOON else f"{number.name} took {seconds:.1f} s"


def _counting(taken: mmap.mmap) -> None:
    """Have every step that is taken written down where it outlives this process."""
    real = Training.advance

    def advance(self: Training) -> Any:
        moment = real(self)
        taken[:] = struct.pack("q", self.step)
        return moment

    Training.advance = advance  # type: ignore[method-assign]


def _read(taken: mmap.mmap) -> int:
    return int(struct.unpack("q", taken[:])[0])
