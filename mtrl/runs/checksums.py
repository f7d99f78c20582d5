"""SHA-256 checksums of a finished run's files; a file that has changed since it was written is refused.

They are in ``checksums.json``, since ``result.json`` cannot contain its own, and later evaluations are added. Runs
without that file are read as they are: they are older, or were edited and the file deleted on purpose. It guards
against accidents, not against an attacker, who can rewrite it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from mtrl.checkpoints.folders import Damaged, check_digest, digest, digest_of, read_sealed, sealed
from mtrl.errors import RunError, UsageError, os_reason
from mtrl.runs.atomic import write_text

CHECKSUMS = "checksums.json"
WAY_OUT = f"restore the run's folder from an intact copy, or, if you have edited it, delete its {CHECKSUMS}"


def write_checksums(run: Path, names: Iterable[str], planned: Mapping[str, str] | None = None) -> None:
    """Write the checksums of a run's existing files, and of ``planned`` texts by the names of their future files.

    Raises ``RunError`` if that fails.
    """
    existing = {name: digest(run / name) for name in names if (run / name).is_file()}
    _write(run, existing | {name: digest_of(text.encode()) for name, text in (planned or {}).items()})


def add_checksum(file: Path) -> None:
    """Add the checksum of a file written after its run finished, if the run has checksums.

    Raises ``UsageError`` if they are damaged.
    """
    known = _known(file.parent)
    if known is not None:
        _write(file.parent, {**known, file.name: digest(file)})


def check_file(file: Path) -> None:
    """Raise ``UsageError``, naming the file, if its checksum is known and does not match.

    Missing files are not reported here.
    """
    expected = (_known(file.parent) or {}).get(file.name)
    if expected is None or not file.is_file():
        return
    try:
        check_digest(file, expected)
    except Damaged as error:
        raise UsageError(f"{error}; {WAY_OUT}") from None


def _known(run: Path) -> dict[str, str] | None:
    """Return a run's checksums by name, or None if it has none. Raises ``UsageError`` if they are damaged."""
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
        raise RunError(f"{run / CHECKSUMS} cannot be written ({os_reason(error)})") from None
