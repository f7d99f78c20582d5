"""Folders that are whole or not there: a manifest of hashes, and a rename when all of it is on the disk."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mtrl.runs.atomic import UNFINISHED, sync, write_text

MANIFEST = "manifest.json"
BLOCK = 1 << 20  # bytes hashed at a time


class Damaged(Exception):
    """A file is missing, or is not what was written; the message names it."""


def publish(folder: Path, write: Callable[[Path], dict[str, Any]]) -> None:
    """Make ``folder`` out of what ``write`` puts into the empty folder it is given; the rename comes last.

    What it returns goes into the manifest beside the hashes. Raises ``OSError`` where the disk does not take it; then
    nothing is left behind, and another folder of that name stays.
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
    """Return a folder's manifest once each of its files has the hash that stands there. Raises ``Damaged``."""
    manifest = read_manifest(folder)
    for name, wanted in manifest["files"].items():
        check_digest(_inside(folder, name), wanted)
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return a folder's manifest. Raises ``Damaged`` where it is not what was written."""
    return read_sealed(folder / MANIFEST)


def read_sealed(path: Path) -> dict[str, Any]:
    """Return what ``sealed`` made a text of. Raises ``Damaged`` where the hash is another."""
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)["content"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Damaged(f"{path} cannot be read ({error})") from None
    if not isinstance(content, dict) or text != sealed(content):
        raise Damaged(f"{path} is not what was written: its SHA-256 is another")
    return content


def sealed(content: dict[str, Any]) -> str:
    """Return a text that holds a table, and the hash of it."""
    own = digest_of(json.dumps(content).encode())
    return json.dumps({"sha256": own, "content": content}, indent=2) + "\n"


def check_digest(path: Path, wanted: str) -> None:
    """Raise ``Damaged`` where a file has not the SHA-256 that it was written with."""
    try:
        found = digest(path)
    except OSError as error:
        raise Damaged(f"{path} cannot be read ({error.strerror or error})") from None
    if found != wanted:
        raise Damaged(f"{path} is not what was written: its SHA-256 is another")


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
    """Return a file of a folder; a manifest names no others."""
    if Path(name).name != name or (folder / name).is_symlink():
        raise Damaged(f"{folder / MANIFEST} names {name!r}, which is no file of its folder")
    return folder / name
