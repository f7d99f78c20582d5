"""Imports go one way: between the packages, between modules, which never import in a circle, and from commands down."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("mtrl", "envs", "agents")
FORBIDDEN = {"envs": {"agents", "mtrl", "torch"}, "agents": {"envs", "mtrl"}}


@cache
def modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the packages by its dotted name, a package by its own."""
    found = {}
    for file in (file for package in PACKAGES for file in sorted((root / package).rglob("*.py"))):
        parts = file.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imported(path: Path) -> Iterator[tuple[str, str | None]]:
    """What a file imports, anywhere in it, for types alone too: modules, and names out of modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno} imports relative to its package; write the whole name"
            yield from ((str(node.module), alias.name) for alias in node.names)


def graph(root: Path = ROOT) -> dict[str, set[str]]:
    """Each module of the packages, and those that it imports."""
    known = modules(root)
    edges: dict[str, set[str]] = {}
    for module, path in known.items():
        named = {f"{source}.{name}" if f"{source}.{name}" in known else source for source, name in imported(path)}
        edges[module] = (named & known.keys()) - {module}
    return edges


def circle(edges: Mapping[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, the first one named twice, or none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def commands() -> set[str]:
    """The modules that run as ``python -m mtrl.X``."""
    return {
        f"mtrl.{path.stem}" for path in (ROOT / "mtrl").glob("*.py") if "\nrun = command(main)\n" in path.read_text()
    }


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_packages_import_one_way(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert len(files) > 5
    wrong = {str(path): {name.split(".")[0] for name, _ in imported(path)} & FORBIDDEN[package] for path in files}
    assert {path: names for path, names in wrong.items() if names} == {}


def test_no_module_imports_in_a_circle() -> None:
    edges = graph()
    assert {"envs.registry", "envs.sources"} <= edges.keys()
    assert "envs.suite" in edges["envs.sources"]
    assert circle(edges) == []


def test_no_module_imports_a_command() -> None:
    assert {"mtrl.train", "mtrl.evaluate", "mtrl.compare"} <= commands()
    assert {module: names & commands() for module, names in graph().items() if names & commands()} == {}


def test_the_check_sees_imports_in_functions_and_for_types(tmp_path: Path) -> None:
    (tmp_path / "mtrl").mkdir()
    (tmp_path / "mtrl" / "first.py").write_text("def f():\n    from mtrl import second\n    import agents.sac\n")
    (tmp_path / "mtrl" / "second.py").write_text("if TYPE_CHECKING:\n    from mtrl.first import f\n")
    assert graph(tmp_path) == {"mtrl.first": {"mtrl.second"}, "mtrl.second": {"mtrl.first"}}
    assert set(circle(graph(tmp_path))) == {"mtrl.first", "mtrl.second"}
    assert ("agents.sac", None) in imported(tmp_path / "mtrl" / "first.py")
