"""The README and the pages of ``docs/`` as text, their code, and a folder with every file that they show."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
}


def module_at(path: str) -> ModuleType:
    """Import a Python file below the repository's root."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Block(NamedTuple):
    """Code on a page. One with a title is a file of that name; all other Python is a program."""

    page: str
    language: str
    title: str
    text: str


def blocks_of(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = re.findall(r'^```(\w+)(?: title="([^"]*)")?\n(.*?)^```', PAGES[page], flags=re.DOTALL | re.MULTILINE)
    return [Block(page, *parts) for parts in found]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
FILES = {block.title: block.text for block in BLOCKS if block.title}


def commands_of(page: str) -> list[list[str]]:
    """Every ``python -m mtrl.X ...`` in a page's code, split into words."""
    shell = "\n".join(block.text for block in blocks_of(page) if block.language == "bash").replace("\\\n", " ")
    inline = [" ".join(code.split()) for code in re.findall(r"(?<!`)`(python -m mtrl[^`]*)`", PAGES[page])]
    code = "\n".join([shell, *inline])
    return [shlex.split(line, comments=True) for line in re.findall(r"python -m (mtrl\.[^\n&`]*)", code)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with every file that a page shows; modules in it can be imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = [name.removesuffix(".py") for name in FILES if name.endswith(".py")]
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    yield tmp_path
    for name in modules:
        sys.modules.pop(name, None)
