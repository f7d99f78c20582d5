"""A replay on disk, in chunks that are only ever added: saving costs what is new."""

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
    """A file that holds the transitions of every task numbered ``first`` to before ``end`` since the run began."""

    name: str
    first: int
    end: int
    sha256: str


class ReplayChunks:
    """Writes what a replay has taken in since the last time, and puts it back.

    Chunks that are older than what the replay still holds are forgotten by ``prune``.
    """

    def __init__(self, folder: Path, chunks: list[Chunk] | None = None) -> None:
        self._folder = folder
        self._chunks = [*(chunks or [])]

    @property
    def chunks(self) -> list[Chunk]:
        """The chunks so far, oldest first."""
        return [*self._chunks]

    def save(self, replay: Replay) -> None:
        """Write what is new, and forget chunks that lie before all that is held. Raises ``OSError`` for a full disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if not all((self._folder / chunk.name).is_file() for chunk in self._chunks):
            self._chunks = []  # somebody has removed them, so all that is held is written again
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
        """Raise ``Damaged`` where a chunk is not what was written."""
        for chunk in self._chunks:
            check_digest(self._folder / chunk.name, chunk.sha256)

    def load(self, replay: Replay) -> None:
        """Fill an empty replay with the chunks."""
        for chunk in self._chunks:
            replay.put_rows(load_file(self._folder / chunk.name)[ROWS].to(replay.device), chunk.first)

    def prune(self, kept: list[list[Chunk]]) -> None:
        """Delete the files that none of the checkpoints that are kept asks for."""
        wanted = {chunk.name for chunks in kept for chunk in chunks}
        for path in self._folder.glob("*.safetensors*"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)
