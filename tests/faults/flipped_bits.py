"""One bit that is another, in any file of a run that is read back."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import mtrl
from mtrl.checkpoints.folders import Damaged
from mtrl.checkpoints.store import CheckpointStore
from mtrl.errors import UsageError
from mtrl.gathering.run import load_run
from mtrl.runs.folder import CONFIG, METRICS, RESULT, WEIGHTS, read_run
from tests.faults.outcome import Counted, counted
from tests.faults.tiny import TABLETOP, left_alone, run_in, saving_often, tiny


def flipped_bits(folder: Path, trials: int) -> Counted:
    """Flip bits of weights, replay, configuration, result and log in turn, and read the file."""
    folder.mkdir(parents=True, exist_ok=True)
    left_alone(tiny(TABLETOP, folder / "runs", "--keep-checkpoint"), saving_often, folder / "log")
    run = run_in(folder / "runs")
    newest = sorted((run / "checkpoints" / "replay").iterdir(), key=lambda path: int(path.stem.split("-")[0]))[-1]
    read: dict[Path, Callable[[], str]] = {
        run / WEIGHTS: lambda: _refusal(lambda: mtrl.load(run)),
        newest: lambda: _set_aside(run),
        run / CONFIG: lambda: _refusal(lambda: read_run(run)),
        run / RESULT: lambda: _refusal(lambda: load_run(run)),
        run / METRICS: lambda: _refusal(lambda: load_run(run)),
    }
    sound = [path.name for path, what in read.items() if what()]
    if sound:
        return Counted(0, trials, [f"refused before anything was flipped: {sound}"])
    chance, files = random.Random(0), [*read]
    return counted([_trial(files[k % len(files)], read[files[k % len(files)]], chance) for k in range(trials)])


def _trial(file: Path, read: Callable[[], str], chance: random.Random) -> str:
    """Flip one bit of a file, and put it back -> whether it went unnoticed, or unnamed."""
    whole = file.read_bytes()
    place, bit = chance.randrange(len(whole)), chance.randrange(8)
    file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
    said = read()
    file.write_bytes(whole)
    return "" if file.name in said else f"bit {bit} of byte {place} of {file.name}: {said or 'read in silence'}"


def _refusal(read: Callable[[], object]) -> str:
    try:
        read()
    except UsageError as error:
        return str(error)
    return ""


def _set_aside(run: Path) -> str:
    """Read the newest checkpoint that is whole -> why newer ones were not taken."""
    try:
        found = CheckpointStore(run).latest()
    except Damaged as error:
        return str(error)
    return "no checkpoint" if found is None else "; ".join(found.passed_over)
