"""Run folders: how they are named, that they stay where they belong, and what they say of themselves."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from agents.registry.compose import settings_type
from agents.registry.presets import PRESETS
from mtrl.config.defaults import default_config
from mtrl.errors import UsageError
from mtrl.runs import folder
from mtrl.runs.folder import new_run_folder, read_run, runs_dir_of, write_config, write_result
from mtrl.version import __version__
from tests.mtrl.conftest import CLEAN, read_json

NAMES = [
    "../../x",
    "/abs/olute",
    "con",
    "",
    "..",
    ".",
    "n" * 300,
    "a/../../b",
    "..\\..\\x",
    "~",
    "$HOME",
    "a\0b",
    "-rf",
]


def test_a_second_run_of_a_seed_is_numbered_on(tmp_path: Path) -> None:
    made = [new_run_folder(tmp_path, "tabletop", "care", seed) for seed in (0, 0, 1, 0)]
    parent = tmp_path / "tabletop" / "care"
    assert made == [parent / name for name in ("seed0", "seed0-2", "seed1", "seed0-3")]
    assert all(path.is_dir() for path in made)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("place", ["suite", "agent"])
def test_no_name_leads_out_of_the_runs_folder(tmp_path: Path, name: str, place: str) -> None:
    runs_dir = tmp_path / "deep" / "runs"
    names = {"suite": "tabletop", "agent": "care", place: name}
    path = new_run_folder(runs_dir, names["suite"], names["agent"], 0)
    parts = path.relative_to(runs_dir).parts
    assert path.resolve().is_relative_to(runs_dir.resolve())
    assert path.name == "seed0"
    assert len(parts) >= 3
    for part in parts:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,79}", part), part
    assert [entry.name for entry in tmp_path.iterdir()] == ["deep"]
    assert [entry.name for entry in (tmp_path / "deep").iterdir()] == ["runs"]


def test_a_slash_in_a_suites_name_makes_nested_folders(tmp_path: Path) -> None:
    assert new_run_folder(tmp_path, "metaworld/MT10", "care", 3) == tmp_path / "metaworld" / "MT10" / "care" / "seed3"


def test_a_config_reads_back_as_it_was_written_beside_what_the_run_knows_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "git_state", lambda: dict(CLEAN))
    monkeypatch.setattr(sys, "argv", ["/kit/mtrl/train.py", "--tasks", "a b", "--seed", "3"])
    for name in PRESETS:
        config = dataclasses.replace(
            default_config("tabletop", name),
            tasks=("reach", "push"),
            seed=3,
            runs_dir=Path("some/runs"),
            baseline="none",
        )
        write_config(tmp_path, config, context_source="shipped")
        read, facts = read_run(tmp_path)
        assert read == config
        assert type(read.settings) is settings_type(PRESETS[name])
    assert set(facts) == {"context_source", "command", "versions", "machine", "git"}
    assert facts["context_source"] == "shipped"
    assert shlex.split(facts["command"])[1:] == ["-m", "mtrl.train", "--tasks", "a b", "--seed", "3"]
    assert set(facts["versions"]) == {
        "mtrl",
        "python",
        "torch",
        "gymnasium",
        "stable-baselines3",
        "numpy",
        "tensorboard",
    }
    assert facts["versions"]["mtrl"] == __version__
    assert facts["git"] == CLEAN
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]  # and no half-written file beside it


def test_the_command_of_a_console_script_is_written_as_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/env/bin/mtrl-train", "--agent", "mtsac"])
    write_config(tmp_path, default_config("tabletop", "mtsac"))
    assert shlex.split(read_run(tmp_path)[1]["command"])[1:] == ["-m", "mtrl.train", "--agent", "mtsac"]


def test_git_state_is_a_commit_and_whether_files_differ_or_none_outside_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "HOME", tmp_path)
    assert folder.git_state() is None

    def git(*arguments: str) -> str:
        name = ["-c", "user.name=n", "-c", "user.email=e"]
        return subprocess.run(
            ["git", "-C", str(tmp_path), *name, *arguments], check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-qm", "first")
    assert folder.git_state() == {"commit": git("rev-parse", "HEAD"), "changed": False}
    (tmp_path / "file").write_text("2")
    assert folder.git_state() == {"commit": git("rev-parse", "HEAD"), "changed": True}
    monkeypatch.setattr(folder, "HOME", tmp_path / "copied_into_another_checkout")
    assert folder.git_state() is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "\xff", "{}", "[1]", '"run"', "null", '{"agent": "care"}', '{"agent": "care", "settings": null}'],
    ids=ascii,
)
def test_a_damaged_config_is_a_usage_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / "config.json"))) as error:
        read_run(tmp_path)
    assert "train the run again" in str(error.value)


def test_a_config_of_an_agent_that_is_no_more_is_a_usage_error(tmp_path: Path) -> None:
    config = default_config("tabletop", "mtsac")
    write_config(tmp_path, config)
    values = read_json(tmp_path / "config.json")
    (tmp_path / "config.json").write_text(json.dumps({**values, "agent": "dqn"}))
    with pytest.raises(UsageError, match="unknown agent 'dqn'"):
        read_run(tmp_path)


def test_what_is_no_run_is_a_usage_error_that_shows_what_a_run_looks_like(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(UsageError, match="is not a run") as error:
            read_run(path)
        assert "runs/tabletop/care/seed0" in str(error.value)


def test_a_result_that_is_not_valid_json_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_result(tmp_path, {"return": float("nan")})
    assert not (tmp_path / "result.json").exists()


def test_the_folder_of_all_runs_is_found_from_within_and_from_a_run_that_was_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert runs_dir_of(Path("runs/tabletop/care/seed0"), "tabletop", "care") == Path("runs")
    assert runs_dir_of(Path("seed0"), "tabletop", "care") == tmp_path.parents[1]
    assert runs_dir_of(Path("/seed0"), "metaworld/MT10", "care") == Path("/")
