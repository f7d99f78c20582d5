"""Files that are whole or not there, in their own place, and readable by whom other new files are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mtrl.errors import RunError
from mtrl.runs.atomic import replacing, write_text
from mtrl.runs.unfinished import steps_of_weights
from mtrl.training.records import save_weights


def test_a_file_is_written_in_the_place_of_the_one_before(tmp_path: Path) -> None:
    for text in ("first", "second"):
        write_text(tmp_path / "a.json", text)
        assert (tmp_path / "a.json").read_text() == text
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_symbolic_link_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("dear diary")
    (tmp_path / "a.json").symlink_to("diary.txt")
    (tmp_path / f"a.json.{os.getpid()}.partial").symlink_to("diary.txt")
    write_text(tmp_path / "a.json", "{}")
    assert (tmp_path / "diary.txt").read_text() == "dear diary"
    assert not (tmp_path / "a.json").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["a.json", "diary.txt"]


def test_what_cannot_be_written_leaves_the_file_before_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("before")

    def fail() -> None:
        with replacing(tmp_path / "a.json") as partial:
            partial.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        fail()
    assert (tmp_path / "a.json").read_text() == "before"
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_weights_may_be_read_by_whom_other_new_files_may(tmp_path: Path, mask: int, mode: int) -> None:
    former = os.umask(mask)
    try:
        save_weights({"a": torch.ones(2)}, tmp_path, 1)
        write_text(tmp_path / "b.json", "{}")
    finally:
        os.umask(former)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("weights.safetensors", "b.json")] == [mode, mode]


def test_weights_that_cannot_be_written_are_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "weights.safetensors").mkdir()
    with pytest.raises(RunError, match=r"weights cannot be written \(Is a directory\)"):
        save_weights({"a": torch.ones(2)}, tmp_path, 1)
    assert os.listdir(tmp_path) == ["weights.safetensors"]


def test_a_weight_that_two_layers_share_is_written_under_both_names(tmp_path: Path) -> None:
    shared = torch.arange(3.0)
    save_weights({"one": shared, "other": shared, "part": shared[1:]}, tmp_path, 7)
    found = load_file(tmp_path / "weights.safetensors")
    assert {name: weight.tolist() for name, weight in found.items()} == {
        "one": [0, 1, 2],
        "other": [0, 1, 2],
        "part": [1, 2],
    }
    assert steps_of_weights(tmp_path) == 7
