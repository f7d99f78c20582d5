"""A replay buffer on disk, in append-only chunks: each save writes only new transitions."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from safetensors.torch import load_file

from agents.replay import Replay
from mtrl.checkpoints.folders import check_digest, digest
from mtrl.checkpoints.tree import save_arrays
from mtrl.runs.atomic import sync

ROWS = "rows"


class Chunk(NamedTuple):
    """A file with transitions ``first`` to ``end`` (exclusive) of every task, numbered from the start of the run."""

    name: str
    first: int
    end: int
    sha256: str


class ReplayChunks:
    """Saves the transitions added to a replay since the last save, and restores them.

    Chunks older than the replay's content are deleted by ``prune``.
    """

    def __init__(self, folder: Path, chunks: list[Chunk] | None = None) -> None:
        self._folder = folder
        self._chunks = [*(chunks or [])]

    @property
    def chunks(self) -> list[Chunk]:
        """The chunks so far, oldest first."""
        return [*self._chunks]

    def save(self, replay: Replay) -> None:
        """Write new transitions, and drop chunks older than the replay's content. Raises ``OSError`` if that fails."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if not all((self._folder / chunk.name).is_file() for chunk in self._chunks):
            self._chunks = []  # some were removed, so the whole content is written again
        first = max(self._chunks[-1].end if self._chunks else 0, replay.added - replay.size)
        if first == replay.added:
            return
        path = self._folder / f"{first}-{replay.added}.safetensors"
        save_arrays({ROWS: replay.rows_between(first, replay.added).cpu().contiguous()}, path)
        sync(path)
        sync(self._folder)
        oldest = replay.added - replay.size
        self._chunks = [chunk for chunk in self._chunks if chunk.end > oldest]
        self._chunks.append(Chunk(path.name, first, replay.added, digest(path)))

    def check(self) -> None:
        """Raise ``Damaged`` if a chunk has changed since it was written."""
        for chunk in self._chunks:
            check_digest(self._folder / chunk.name, chunk.sha256)

    def load(self, replay: Replay) -> None:
        """Fill an empty replay with the chunks."""
        for chunk in self._chunks:
            replay.put_rows(load_file(self._folder / chunk.name)[ROWS].to(replay.device), chunk.first)

    def prune(self, kept: list[list[Chunk]]) -> None:
        """Delete the files that no kept checkpoint needs."""
        needed = {chunk.name for chunks in kept for chunk in chunks}
        for path in self._folder.glob("*.safetensors*"):
            if path.name not in needed:
                path.unlink(missing_ok=True)
