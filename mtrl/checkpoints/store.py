"""A run's checkpoints: the newest two are kept, and the newest that is whole is the one to go on from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load_file

from agents.replay import Replay
from mtrl.checkpoints.find import FOLDER, LATEST, NAME
from mtrl.checkpoints.folders import Damaged, publish, read_manifest, verified
from mtrl.checkpoints.replay_chunks import Chunk, ReplayChunks
from mtrl.checkpoints.tree import join_arrays, save_arrays, split_arrays
from mtrl.runs.atomic import UNFINISHED, write_text

REPLAY = "replay"
STATE, ARRAYS = "state.json", "state.safetensors"
FORMAT = 1
KEPT = 2


class Checkpoint(NamedTuple):
    """What was read of a checkpoint; ``passed_over`` says of newer ones why they were not taken."""

    path: Path
    step: int
    state: dict[str, Any]
    replay: ReplayChunks
    passed_over: list[str]


class CheckpointStore:
    """Writes and reads the checkpoints of the run in ``run``."""

    def __init__(self, run: Path, replay: ReplayChunks | None = None) -> None:
        """``replay`` are the chunks that are on disk already, of a run that goes on."""
        self.folder = run / FOLDER
        self._replay = replay or ReplayChunks(self.folder / REPLAY)

    def save(self, step: int, state: dict[str, Any], replay: Replay) -> Path:
        """Write a state and what is new of the replay -> the checkpoint. Raises ``OSError`` where the disk is full."""
        self._replay.save(replay)
        values, arrays = split_arrays(state)

        def write(folder: Path) -> dict[str, Any]:
            save_arrays(arrays, folder / ARRAYS)
            (folder / STATE).write_text(json.dumps(values, allow_nan=False), encoding="utf-8")
            return {"format": FORMAT, "step": step, "replay": [chunk._asdict() for chunk in self._replay.chunks]}

        path = self.folder / f"step{step:012d}"
        publish(path, write)
        write_text(self.folder / LATEST, path.name + "\n")
        self._prune()
        return path

    def latest(self) -> Checkpoint | None:
        """Read the newest checkpoint that is whole, None where there is none.

        Raises ``Damaged`` where there are some and none is whole.
        """
        passed_over: list[str] = []
        for path in reversed(self._published()):
            try:
                return self._read(path, passed_over)
            except Damaged as error:
                passed_over.append(str(error))
        if passed_over:
            raise Damaged("; ".join(passed_over))
        return None

    def discard(self) -> None:
        """Delete everything that was saved."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self, path: Path, passed_over: list[str]) -> Checkpoint:
        manifest = verified(path)
        if manifest.get("format") != FORMAT:
            raise Damaged(f"{path} has format {manifest.get('format')!r}, and this version reads {FORMAT}")
        try:
            chunks = [Chunk(**chunk) for chunk in manifest["replay"]]
            values = json.loads((path / STATE).read_text(encoding="utf-8"))
            state = join_arrays(values, load_file(path / ARRAYS))
            step = int(manifest["step"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Damaged(f"{path} cannot be read ({error})") from None
        replay = ReplayChunks(self.folder / REPLAY, chunks)
        replay.check()
        return Checkpoint(path, step, state, replay, passed_over)

    def _published(self) -> list[Path]:
        """Return the checkpoints' folders, oldest first."""
        return sorted(path for path in self.folder.glob("step*") if NAME.fullmatch(path.name))

    def _prune(self) -> None:
        """Delete all but the newest checkpoints, and the chunks of the replay that only older ones held."""
        published = self._published()
        for path in published[:-KEPT]:
            shutil.rmtree(path, ignore_errors=True)
        for path in self.folder.glob(f"*{UNFINISHED}"):
            shutil.rmtree(path, ignore_errors=True)
        try:
            kept = [read_manifest(path)["replay"] for path in published[-KEPT:]]
        except Damaged:
            return  # nobody knows what it asks for
        self._replay.prune([[Chunk(**chunk) for chunk in chunks] for chunks in kept])
