"""Tables of flags in the documentation, made from the dataclasses that the commands parse, so that they stay true.

``<!-- flags: mtrl.evaluate.EvaluateConfig -->`` on a page becomes the table of that class's own fields. Where a suite
is named behind it, as in ``<!-- flags: mtrl.config.train_config.TrainConfig tabletop -->``, its defaults stand below
those of the class. ``<!-- pieces: tabletop -->`` becomes a table for each piece of the registry that has settings.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import pydoc
import re
import textwrap
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

MARK = re.compile(r"<!-- flags: (\S+)(?: (\S+))? -->")
ALIAS = re.compile(r"aliases=\(['\"](--[\w-]+)")
PIECES_MARK = re.compile(r"<!-- pieces: (\S+) -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put every table in its place; MkDocs calls this for each page."""
    whole = PIECES_MARK.sub(lambda mark: pieces(mark[1]), markdown)
    return MARK.sub(lambda mark: table(mark[1], mark[2]), whole)


def pieces(suite: str) -> str:
    """Return a mark for the table of every built-in piece's own settings, below the flag that chooses it."""
    from agents.registry.compose import SLOTS
    from agents.registry.pieces import PIECES

    return "\n\n".join(
        f"`--{slot} {spec.name}`, {spec.description}:\n\n<!-- flags: {path(spec.settings)} {suite} -->"
        for slot, kind in SLOTS.items()
        for spec in PIECES[kind].values()
        if spec.settings is not None and sentences(spec.settings)
    )


def path(kind: type) -> str:
    """Return where a class is found."""
    return f"{kind.__module__}.{kind.__qualname__}"


def table(where: str, suite: str | None = None) -> str:
    """Return the Markdown table of a dataclass's own fields. Raises ``LookupError`` where there is no such class."""
    kind: Any = pydoc.locate(where)
    if not dataclasses.is_dataclass(kind):
        raise LookupError(f"{where} is no dataclass; name the class that a command parses")
    words, theirs = sentences(kind), defaults_on(suite) if suite else {}
    lines = ["| flag, default | what it is |", "| --- | --- |"]
    for field in dataclasses.fields(kind):
        if field.name not in words or field.name == "settings":
            continue  # inherited, and so in the table of the class that it comes from, or a table of its own
        default, other = shown(field.default), shown(theirs.get(field.name, field.default))
        left = [flag(field), default, f"{suite}: {other}" if other != default else ""]
        lines.append(f"| {'<br>'.join(filter(None, left))} | {' '.join(words[field.name].split())} |")
    return "\n".join(lines)


def flag(field: dataclasses.Field[Any]) -> str:
    """Return how a field is given on a command line."""
    name = field.name.replace("_", "-")
    if "Positional" in str(field.type):
        return f"`{name.upper()}`"
    if isinstance(field.default, bool):
        return f"`--{name}`, `--no-{name}`"
    return ", ".join(f"`{one}`" for one in [*ALIAS.findall(str(field.type)), f"--{name}"])


def shown(value: Any) -> str:
    """Return a default as one would type it; empty where there is none."""
    if value is dataclasses.MISSING:
        return "required"
    if value in (None, (), ""):
        return ""
    text = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"`{text}`"


def sentences(kind: type) -> dict[str, str]:
    """Return what stands below each of a class's own fields in its source: name to words."""
    (own,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(own, ast.ClassDef)
    return {
        field.target.id: below.value.value
        for field, below in pairwise(own.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
    }


def defaults_on(suite: str) -> Mapping[str, Any]:
    """Return the defaults on a suite, the run's and those of the agent ``care``, by name."""
    from mtrl.config.defaults import default_config

    config = default_config(suite, "care")
    return {**vars(config), **vars(config.settings)}
