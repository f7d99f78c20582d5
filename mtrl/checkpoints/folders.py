"""Folders that are either complete or absent: a manifest of hashes, and a rename once everything is on the disk."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mtrl.errors import os_reason
from mtrl.runs.atomic import UNFINISHED, sync, write_text

MANIFEST = "manifest.json"
BLOCK = 1 << 20  # bytes hashed at a time


class Damaged(Exception):
    """A file is missing or has changed since it was written; the message names it."""


def publish(folder: Path, write: Callable[[Path], dict[str, Any]]) -> None:
    """Create ``folder`` from the files that ``write`` puts into an empty folder, which is renamed at the end.

    The values that ``write`` returns go into the manifest beside the hashes. Raises ``OSError`` if writing fails; then
    nothing is left behind, and an existing folder of that name stays.
    """
    partial = folder.with_name(folder.name + UNFINISHED)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        facts = write(partial)
        files = {path.name: digest(path) for path in sorted(partial.iterdir())}
        for path in partial.iterdir():
            sync(path)
        write_text(partial / MANIFEST, sealed({**facts, "files": files}))
        sync(partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
        sync(folder.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def verified(folder: Path) -> dict[str, Any]:
    """Return a folder's manifest after checking each file's hash. Raises ``Damaged``."""
    manifest = read_manifest(folder)
    for name, expected in manifest["files"].items():
        check_digest(_inside(folder, name), expected)
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return a folder's manifest. Raises ``Damaged`` if it has changed since it was written."""
    return read_sealed(folder / MANIFEST)


def read_sealed(path: Path) -> dict[str, Any]:
    """Return the table in a file written by ``sealed``. Raises ``Damaged`` if its hash does not match."""
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)["content"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Damaged(f"{path} cannot be read ({error})") from None
    if not isinstance(content, dict) or text != sealed(content):
        raise Damaged(f"{path} has changed since it was written: its SHA-256 does not match")
    return content


def sealed(content: dict[str, Any]) -> str:
    """Return a text that holds a table and its hash."""
    own = digest_of(json.dumps(content).encode())
    return json.dumps({"sha256": own, "content": content}, indent=2) + "\n"


def check_digest(path: Path, expected: str) -> None:
    """Raise ``Damaged`` if a file's SHA-256 is not the expected one."""
    try:
        found = digest(path)
    except OSError as error:
        raise Damaged(f"{path} cannot be read ({os_reason(error)})") from None
    if found != expected:
        raise Damaged(f"{path} has changed since it was written: its SHA-256 does not match")


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            sha.update(block)
    return sha.hexdigest()


def _inside(folder: Path, name: str) -> Path:
    """Return a file of a folder. Raises ``Damaged`` for a name outside of it."""
    if Path(name).name != name or (folder / name).is_symlink():
        raise Damaged(f"{folder / MANIFEST} names {name!r}, which is not a file in this folder")
    return folder / name
