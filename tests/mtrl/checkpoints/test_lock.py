"""A run folder's lock is had by one process, also where several ask for it at the same moment."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

from mtrl.checkpoints.lock import take
from mtrl.errors import UsageError

RUNS, PROCESSES = 20, 3


def ask(folder: Path, together: Any, answers: Any) -> None:
    """Ask for every run's lock, all processes at once, and stay alive until all have asked."""
    taken = []
    for number in range(RUNS):
        together.wait()
        try:
            take(folder / str(number))
        except UsageError:
            continue
        taken.append(number)
    answers.put(taken)
    together.wait()


def test_one_process_of_several_gets_the_lock(tmp_path: Path) -> None:
    for number in range(RUNS):
        (tmp_path / str(number)).mkdir()
    context = multiprocessing.get_context("spawn")
    together, answers = context.Barrier(PROCESSES, timeout=60), context.Queue()
    processes = [context.Process(target=ask, args=(tmp_path, together, answers)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    taken = [number for _ in processes for number in answers.get(timeout=60)]
    for process in processes:
        process.join()
    assert sorted(taken) == list(range(RUNS))
