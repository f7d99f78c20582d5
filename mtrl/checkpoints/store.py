"""A run's checkpoints: the newest two are kept, and a run resumes from the newest complete one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load_file

from agents.replay import Replay
from mtrl.checkpoints.find import CHECKPOINT_NAME, CHECKPOINTS, POINTER
from mtrl.checkpoints.folders import Damaged, publish, read_manifest, verified
from mtrl.checkpoints.replay_chunks import Chunk, ReplayChunks
from mtrl.checkpoints.tree import join_arrays, save_arrays, split_arrays
from mtrl.runs.atomic import UNFINISHED, write_text

REPLAY = "replay"
STATE, ARRAYS = "state.json", "state.safetensors"
FORMAT = 1
MAX_KEPT = 2


class Checkpoint(NamedTuple):
    """A checkpoint as read; ``passed_over`` has the reasons why newer ones could not be used."""

    path: Path
    step: int
    state: dict[str, Any]
    replay: ReplayChunks
    passed_over: list[str]


class CheckpointStore:
    """Writes and reads the checkpoints of the run in ``run``."""

    def __init__(self, run: Path, replay: ReplayChunks | None = None) -> None:
        """``replay`` has the chunks already on disk if the run is resumed."""
        self.folder = run / CHECKPOINTS
        self._replay = replay or ReplayChunks(self.folder / REPLAY)

    def save(self, step: int, state: dict[str, Any], replay: Replay) -> Path:
        """Write a state and the replay's new transitions; return the checkpoint. Raises ``OSError`` if that fails."""
        self._replay.save(replay)
        values, arrays = split_arrays(state)

        def write(folder: Path) -> dict[str, Any]:
            save_arrays(arrays, folder / ARRAYS)
            (folder / STATE).write_text(json.dumps(values, allow_nan=False), encoding="utf-8")
            return {"format": FORMAT, "step": step, "replay": [chunk._asdict() for chunk in self._replay.chunks]}

        path = self.folder / f"step{step:012d}"
        publish(path, write)
        write_text(self.folder / POINTER, path.name + "\n")
        self._prune()
        return path

    def latest(self) -> Checkpoint | None:
        """Read the newest complete checkpoint, or return None if there are no checkpoints.

        Raises ``Damaged`` if there are checkpoints but none is complete.
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
        """Delete all checkpoints."""
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
        return sorted(path for path in self.folder.glob("step*") if CHECKPOINT_NAME.fullmatch(path.name))

    def _prune(self) -> None:
        """Delete all but the newest checkpoints, and replay chunks that only older ones need."""
        published = self._published()
        for path in published[:-MAX_KEPT]:
            shutil.rmtree(path, ignore_errors=True)
        for path in self.folder.glob(f"*{UNFINISHED}"):
            shutil.rmtree(path, ignore_errors=True)
        try:
            kept = [read_manifest(path)["replay"] for path in published[-MAX_KEPT:]]
        except Damaged:
            return  # it is unknown which chunks it needs
        self._replay.prune([[Chunk(**chunk) for chunk in chunks] for chunks in kept])
