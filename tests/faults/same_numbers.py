"""The same training with other numbers of worker processes, and of threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch

from tests.faults.outcome import Counted, Measured, counted
from tests.faults.tiny import TABLETOP, WALKS, differences, run_in, tiny

WORKERS = ("0", "1", "2", "4")
THREADS = ("1", "2")
WIDE = ("--hidden", "256", "256", "--batch-per-task", "256")  # so much that threads share it


def workers(folder: Path, trials: int = len(WORKERS) - 1) -> Counted:
    """Hold trainings with workers to the one without, of which there are so many."""
    runs = [_trained(folder / number, *WALKS, "--workers", number) for number in WORKERS[: trials + 1]]
    return counted([differences(run, runs[0]) for run in runs[1:]])


def threads(folder: Path, trials: int = 1) -> Measured:
    """Say whether a training with two threads ends with the numbers of one with a single thread."""
    one, two = (_trained(folder / number, *TABLETOP, *WIDE, "--threads", number) for number in THREADS)
    words = differences(one, two)
    return Measured(f"{words or 'equal'} (torch {torch.__version__})", True, [])


def _trained(runs_dir: Path, suite: str, name: str, *more: str) -> Path:
    """Train by the command, in a process that shares nothing with this one -> the run."""
    arguments = tiny((suite, name), runs_dir, *more, steps=200)
    done = subprocess.run(
        [sys.executable, "-m", "mtrl.train", *arguments],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"},
    )
    if done.returncode:
        raise RuntimeError(f"training in {runs_dir} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return run_in(runs_dir)
