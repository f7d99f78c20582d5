"""What is measured, how often, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.faults.cost import cost_of_checkpoints, cost_of_guards
from tests.faults.flipped_bits import flipped_bits
from tests.faults.hostile import hostile
from tests.faults.killed_saving import killed_saving
from tests.faults.killed_training import killed_training
from tests.faults.malformed import malformed
from tests.faults.memory import memory
from tests.faults.outcome import Counted, Measured
from tests.faults.same_numbers import threads, workers
from tests.faults.signals import signals
from tests.faults.worker_faults import FAULTS, worker_faults


class Part(NamedTuple):
    """A figure: its name on the command line, its words, what it must be, and how it is measured.

    ``quick`` and ``full`` are how often it is tried, or how long; None: not at all.
    """

    name: str
    words: str
    must: str
    measure: Callable[[Path, int], Counted | Measured]
    quick: int | None
    full: int


def _hostile(folder: Path, times: int) -> Counted:
    """Try every hostile input."""
    return Counted(*hostile(folder))


def _every(folder: Path, nth: int) -> Counted:
    """Try each ``nth`` of the malformed inputs."""
    return Counted(*malformed(folder, nth))


PARTS = (
    Part("training", "`kill -9` at a random moment, then `--resume`: same numbers", "all", killed_training, 2, 52),
    Part("saving", "`kill -9` during a save: the newest or the one before loads", "all", killed_saving, 20, 100),
    Part("signals", "no step lost by SIGTERM, SIGHUP", "all", signals, 2, 20),
    Part("bits", "one flipped bit: refused or set aside by name", "all", flipped_bits, 25, 200),
    Part("workers", "faults of environments in worker processes", "all", worker_faults, 3, len(FAULTS)),
    Part("malformed", "malformed inputs: exit code 2, one line", "all", _every, 20, 1),
    Part("hostile", "hostile run folders, names, reports: nothing executed", "all", _hostile, None, 1),
    Part("memory", "growth of memory", "< 1 MB per 100,000 steps", memory, None, 1_000_000),
    Part("same", "same numbers for 0, 1, 2, 4 workers", "all", workers, None, 3),
    Part("threads", "1 and 2 threads", "said", threads, None, 1),
    Part("checkpoints", "checkpoints, share of training time", "<= 2 %", cost_of_checkpoints, None, 15),
    Part("guards", "guards, share of training time", "<= 2 %", cost_of_guards, None, 400),
)
