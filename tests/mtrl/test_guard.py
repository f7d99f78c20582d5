"""A folder of the user's called envs or agents is noticed, named, and got around."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mtrl.guard import check_neighbours


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", ["envs", "agents"])
def test_an_intruder_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    shadowed = run([sys.executable, "-m", "mtrl.list"], tmp_path)
    assert shadowed.returncode != 0
    last = shadowed.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError")
    for words in (str(tmp_path / name), "mtrl-train", "python -P -m mtrl.train"):
        assert words in last
    assert run([sys.executable, "-P", "-m", "mtrl.list"], tmp_path).returncode == 0
    script = run([str(Path(sys.executable).with_name("mtrl-list"))], tmp_path)
    assert (script.returncode, script.stderr) == (0, "")
    assert "tabletop" in script.stdout


def test_a_folder_that_is_no_package_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "envs").mkdir()
    assert run([sys.executable, "-m", "mtrl.list"], tmp_path).returncode == 0


def test_console_scripts_find_modules_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from mtrl import make_suite\nsuite = make_suite('tabletop')\n")
    listed = run([str(Path(sys.executable).with_name("mtrl-list")), "--suite", "mine:suite"], tmp_path)
    assert (listed.returncode, listed.stderr) == (0, "")


def test_neighbours_elsewhere_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match="shadows mtrl's own package 'envs'"):
        check_neighbours(tmp_path)
    check_neighbours()
