"""What is measured, how often, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.faults.cost import cost_of_checkpoints, cost_of_guards
from tests.faults.flipped_bits import flipped_bits
from tests.faults.killed_saving import killed_saving
from tests.faults.killed_training import killed_training
from tests.faults.memory import memory
from tests.faults.outcome import Counted, Measured
from tests.faults.same_numbers import threads, workers
from tests.faults.signals import signals
from tests.faults.worker_faults import worker_faults


class Part(NamedTuple):
    """A figure: its name on the command line, its words, what it must be, and how often the trial is made."""

    name: str
    words: str
    must: str
    measure: Callable[[Path, int], Counted | Measured]
    quick: int
    full: int


PARTS = (
    Part("training", "kill -9 at a random moment, resume: weights, log and scores equal", "50 of 50", killed_training, 4, 50),
)
