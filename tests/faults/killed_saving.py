"""Checkpoints while they are written: the process is killed at any moment of it, or at one of its calls to the disk."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from agents.base import seeded_generator
from agents.replay import Replay
from mtrl.checkpoints import folders
from mtrl.checkpoints.folders import Damaged
from mtrl.checkpoints.store import CheckpointStore
from tests.faults.children import Child, wait_for
from tests.faults.outcome import Counted, counted

ROWS = 50  # transitions between two checkpoints
MOST_CALLS = 22  # to the disk, one more than in a save
SAVES = 10_000  # more than there is time for
DISK = ((os, "fsync"), (Path, "replace"), (Path, "write_text"), (Path, "unlink"), (folders.shutil, "rmtree"))


def killed_saving(folder: Path, trials: int) -> Counted:
    """Kill processes that do nothing but save, every other one at a call to the disk, and read what is left."""
    chance = random.Random(0)
    return counted([_trial(folder / str(k), chance, at_call=k % 2 == 1) for k in range(trials)])


def _trial(run: Path, chance: random.Random, at_call: bool) -> str:
    """Kill one process -> what is wrong with the newest checkpoint that is whole."""
    run.mkdir(parents=True)
    done = run / "done"  # outlives the process: which step its last save that returned was of
    done.write_bytes(b"0")
    call = chance.randint(1, MOST_CALLS) if at_call else 0
    child = Child(lambda: _save_on_and_on(run, done, call), run / "log")
    if not at_call:
        if not wait_for(lambda: done.read_bytes() != b"0", 60.0):
            return f"no save in a minute: {child.last_line()}"
        time.sleep(chance.uniform(0.0, 0.05))
        child.signal(signal.SIGKILL)
    if child.wait() != -signal.SIGKILL:
        return f"it was not killed: {child.last_line()}"
    saved = int(done.read_bytes() or b"0")
    try:
        found = CheckpointStore(run).latest()
    except Damaged as error:
        return str(error)
    if found is None:
        return "no checkpoint"
    replay = _replay()
    found.replay.load(replay)
    # The save that was under way may have come as far as its rename.
    if found.step not in (saved, saved + ROWS) or found.state["step"] != found.step or replay.added != found.step:
        return f"after the save of {saved}, that of {found.step} is read, with {replay.added} transitions"
    return "" if not found.passed_over else f"passed over: {found.passed_over}"


def _save_on_and_on(run: Path, done: Path, call: int) -> int:
    """Save a growing replay until killed; ``call``: by itself, at so many calls to the disk after the second save."""
    store, replay = CheckpointStore(run), _replay()
    for step in range(ROWS, SAVES * ROWS, ROWS):
        rows = torch.arange(step - ROWS, step, dtype=torch.float32).expand(2, ROWS)
        replay.add(rows[..., None], rows[..., None], rows, torch.zeros(2, ROWS), rows[..., None])
        if call and step == 3 * ROWS:
            _killed_at(call)
        store.save(step, {"step": step, "weights": torch.full((1000,), float(step))}, replay)
        _write(done, str(step).encode())
    return 0


def _killed_at(last: int) -> None:
    """Have this process kill itself when it has called the disk so often."""
    left = [last]

    def around(owner: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def call(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        setattr(owner, name, call)

    for owner, name in DISK:
        around(owner, name)


def _write(path: Path, data: bytes) -> None:
    """Replace a file's bytes at once, by what is not counted as a call to the disk."""
    partial = str(path) + ".next"
    with open(partial, "wb") as file:
        file.write(data)
    os.replace(partial, path)


def _replay() -> Replay:
    return Replay(2, 400, 1, 1, seeded_generator(0))
