"""A folder of the user's called envs or agents is noticed, named, and got around."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mtrl.guard import HOME, check_neighbours


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this environment's Python in a folder."""
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["envs", "agents"])
def test_an_intruder_is_named_with_the_remedy_and_each_remedy_works(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    shadowed = python(tmp_path, "-m", "mtrl.list")
    assert shadowed.returncode == 1
    last = shadowed.stderr.splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert [part for part in (str(tmp_path / name), repr(name), "mtrl-train", "python -P -m") if part not in last] == []

    without = python(tmp_path, "-P", "-m", "mtrl.list")
    script = subprocess.run(
        [Path(sys.executable).with_name("mtrl-list")], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    for remedy in (without, script):
        assert (remedy.returncode, remedy.stderr) == (0, "")
        assert "suite tabletop: 10 tasks" in remedy.stdout


def test_a_folder_of_that_name_that_is_no_package_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "envs").mkdir()
    (tmp_path / "agents").mkdir()
    assert python(tmp_path, "-m", "mtrl.list").returncode == 0


def test_the_console_script_finds_a_module_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from mtrl import make_suite\nsuite = make_suite('tabletop').only(['push'])\n")
    script = Path(sys.executable).with_name("mtrl-list")
    said = subprocess.run([script, "--suite", "mine:suite"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")
    assert "suite mine:suite: 1 task" in said.stdout


def test_neighbours_in_another_place_are_refused_and_the_kits_own_are_not(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match="shadows mtrl's own package 'envs'") as error:
        check_neighbours(tmp_path)
    assert str(HOME / "envs") in str(error.value)
    check_neighbours()
