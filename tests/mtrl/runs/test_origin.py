"""What a run says of where its suite came from: a hash and a commit for one of the user's own."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from envs.registry import make_suite
from mtrl.runs.folder import read_run
from mtrl.runs.origin import origin_of


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_module_has_its_hash_and_the_commit_of_its_checkout(plug_in: Callable[..., str], tmp_path: Path) -> None:
    source = "from mtrl import make_suite\nsuite = make_suite('tabletop')\n"
    name = plug_in(source)
    file = tmp_path / f"{name}.py"
    make_suite(f"{name}:suite")
    digest = hashlib.sha256(source.encode()).hexdigest()
    assert origin_of(f"{name}:suite") == {"form": "module", "file": str(file), "sha256": digest, "git": None}
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", file.name)
    git(tmp_path, "commit", "-qm", "c")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "beside.txt").touch()  # which says nothing of the suite
    assert origin_of(f"{name}:suite")["git"] == {"commit": commit, "changed": False}
    file.write_text(f"{source}\n")
    assert origin_of(f"{name}:suite")["git"] == {"commit": commit, "changed": True}


def test_a_file_and_the_modules_of_ids_have_theirs(plug_in: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text("x = 1\n")
    assert origin_of("tasks.toml")["sha256"] == hashlib.sha256(b"x = 1\n").hexdigest()
    name = plug_in("")
    make_suite(f"gym:{name}:Pendulum-v1,MountainCarContinuous-v0")
    assert list(origin_of(f"gym:{name}:Pendulum-v1,MountainCarContinuous-v0")["modules"]) == [name]
    assert origin_of("gym:Pendulum-v1") == {"form": "ids"}


@pytest.mark.parametrize(("suite", "form"), [("tabletop", "built-in"), ("object:mine", "object")])
def test_a_suite_of_the_kits_has_the_kits_commit_already(suite: str, form: str) -> None:
    assert origin_of(suite) == {"form": form}


def test_a_run_says_it(care_run: Path) -> None:
    assert read_run(care_run)[1]["suite_source"] == {"form": "built-in"}
