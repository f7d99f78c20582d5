"""SHA-256 of what a finished run wrote, in a file of its own: what is read back is what was written, or is refused.

That file is ``checksums.json``: ``result.json`` can say nothing of itself, and what is scored later is added.
Runs that have none are read as they are: they were made before there were any, or somebody has edited them and says so
by deleting it. It guards against accidents, not against an attacker, who can write another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from mtrl.checkpoints.folders import Damaged, check_digest, digest, digest_of, read_sealed, sealed
from mtrl.errors import RunError, UsageError
from mtrl.runs.atomic import write_text

CHECKSUMS = "checksums.json"
WAY_OUT = f"take the run's folder from where it is whole, or, if you have edited it, delete its {CHECKSUMS}"


def write_checksums(run: Path, names: Iterable[str], coming: Mapping[str, str] | None = None) -> None:
    """Write the checksums of a run's files, of those that there are, and of texts that will be files by these names.

    Raises ``RunError`` where it cannot.
    """
    there = {name: digest(run / name) for name in names if (run / name).is_file()}
    _write(run, there | {name: digest_of(text.encode()) for name, text in (coming or {}).items()})


def add_checksum(file: Path) -> None:
    """Note the checksum of a file that was written after its run was finished, where the run has checksums.

    Raises ``UsageError`` where they are damaged.
    """
    known = _known(file.parent)
    if known is not None:
        _write(file.parent, {**known, file.name: digest(file)})


def check_file(file: Path) -> None:
    """Raise ``UsageError``, naming it, where a file of a run is not what was written, as far as its run says.

    A file that is missing is left to whoever reads it.
    """
    wanted = (_known(file.parent) or {}).get(file.name)
    if wanted is None or not file.is_file():
        return
    try:
        check_digest(file, wanted)
    except Damaged as error:
        raise UsageError(f"{error}; {WAY_OUT}") from None


def _known(run: Path) -> dict[str, str] | None:
    """Return a run's checksums by name, None where it has none. Raises ``UsageError`` where they are damaged."""
    if not (run / CHECKSUMS).is_file():
        return None
    try:
        return {str(name): str(own) for name, own in read_sealed(run / CHECKSUMS)["files"].items()}
    except (Damaged, KeyError, AttributeError) as error:
        raise UsageError(f"{error}; {WAY_OUT}") from None


def _write(run: Path, files: dict[str, str]) -> None:
    try:
        write_text(run / CHECKSUMS, sealed({"files": files}))
    except OSError as error:
        raise RunError(f"{run / CHECKSUMS} cannot be written ({error.strerror or error})") from None
