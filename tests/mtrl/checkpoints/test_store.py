"""Checkpoints on disk: whole or not there, two kept, each byte guarded, a replay that is written once."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from agents.base import seeded_generator
from agents.replay import Replay
from mtrl.checkpoints import folders
from mtrl.checkpoints.folders import Damaged
from mtrl.checkpoints.store import Checkpoint, CheckpointStore


def filled(replay: Replay, first: int, end: int) -> Replay:
    """Add transitions whose reward is their number, three a time."""
    for k in range(first, end, 3):
        n = min(3, end - k)
        rows = torch.arange(k, k + n, dtype=torch.float32).expand(2, n)
        replay.add(rows[..., None], rows[..., None], rows, torch.zeros(2, n), rows[..., None] + 1)
    return replay


def new_replay(capacity: int = 20) -> Replay:
    return Replay(2, capacity, 1, 1, seeded_generator(0))


def read(run: Path) -> Checkpoint:
    found = CheckpointStore(run).latest()
    assert found is not None
    return found


def files(run: Path) -> list[Path]:
    return sorted(path for path in run.rglob("*") if path.is_file())


def two_saved(run: Path) -> None:
    store, replay = CheckpointStore(run), filled(new_replay(), 0, 6)
    store.save(6, {"weights": torch.ones(50), "step": 6}, replay)
    store.save(12, {"weights": torch.full((50,), 2.0), "step": 12}, filled(replay, 6, 12))


def test_what_was_saved_last_is_read(tmp_path: Path) -> None:
    assert CheckpointStore(tmp_path).latest() is None
    two_saved(tmp_path)
    found = read(tmp_path)
    assert (found.step, found.state["step"], found.passed_over) == (12, 12, [])
    assert found.state["weights"].tolist() == [2.0] * 50
    assert (tmp_path / "checkpoints" / "latest").read_text() == f"{found.path.name}\n"


def test_two_are_kept_and_nothing_else(tmp_path: Path) -> None:
    store, replay = CheckpointStore(tmp_path), new_replay(capacity=6)
    for step in range(3, 40, 3):
        store.save(step, {"step": step}, filled(replay, step - 3, step))
    names = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert names == {"step000000000036", "step000000000039", "latest", "replay"}
    # Six transitions are held: of 33 to 39 by the last checkpoint, of 30 to 36 by the one before.
    chunks = {path.name for path in (tmp_path / "checkpoints" / "replay").iterdir()}
    assert chunks == {f"{k}-{k + 3}.safetensors" for k in (30, 33, 36)}


def test_a_replay_comes_back_whole_and_only_what_is_new_is_written(tmp_path: Path) -> None:
    store, replay = CheckpointStore(tmp_path), filled(new_replay(), 0, 9)
    store.save(9, {}, replay)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "checkpoints" / "replay").iterdir()}
    filled(replay, 9, 33)
    store.save(33, {"replay": replay.state_dict(rows=False)}, replay)
    assert all(path.stat().st_mtime_ns == time for path, time in before.items() if path.exists())
    found, back = read(tmp_path), new_replay()
    found.replay.load(back)
    back.load_state_dict(found.state["replay"])
    assert (back.added, back.size) == (33, 20)
    assert torch.equal(back._rows, replay._rows)
    mine, theirs = replay.sample(5), back.sample(5)
    assert mine.reward.tolist() == theirs.reward.tolist()
    # It goes on in a store that knows what is there.
    CheckpointStore(tmp_path, found.replay).save(36, {}, filled(back, 33, 36))
    assert [chunk.first for chunk in read(tmp_path).replay.chunks][-2:] == [13, 33]


def test_one_flipped_bit_in_any_file_sets_a_checkpoint_aside_by_name(tmp_path: Path) -> None:
    """Two hundred bits, over every file that the newest checkpoint has of its own."""
    two_saved(tmp_path)
    newest = read(tmp_path).path
    own = [*files(newest), tmp_path / "checkpoints" / "replay" / "6-12.safetensors"]
    chance = random.Random(0)
    for k in range(200):
        path = own[k % len(own)]
        whole = path.read_bytes()
        place = chance.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
        found = read(tmp_path)
        path.write_bytes(whole)
        assert found.step == 6, path
        assert found.state["weights"].tolist() == [1.0] * 50
        (said,) = found.passed_over
        assert str(path) in said


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.99])
def test_a_file_that_was_cut_sets_a_checkpoint_aside(share: float, tmp_path: Path) -> None:
    two_saved(tmp_path)
    for path in files(read(tmp_path).path):
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        assert read(tmp_path).step == 6
        path.unlink()
        assert read(tmp_path).step == 6
        path.write_bytes(whole)


def test_no_whole_checkpoint_is_an_error_that_names_each(tmp_path: Path) -> None:
    two_saved(tmp_path)
    for path in tmp_path.rglob("state.json"):
        path.write_text("{}")
    with pytest.raises(Damaged, match="step000000000012/state.json .* .*step000000000006/state.json"):
        CheckpointStore(tmp_path).latest()


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "link"])
def test_a_manifest_names_no_file_outside_of_its_folder(name: str, tmp_path: Path) -> None:
    two_saved(tmp_path)
    newest = read(tmp_path).path
    (newest / "link").symlink_to("/etc/passwd")
    manifest = newest / "manifest.json"
    content = folders.read_manifest(newest)
    content["files"] = {name: content["files"]["state.json"]}
    manifest.write_text(folders.sealed(content))
    found = read(tmp_path)
    assert found.step == 6
    assert "is not a file in this folder" in found.passed_over[0]


class Killed(BaseException):
    """Stands for the end of the process: nothing may be cleaned up after it, and nothing need be."""


def stages(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> list[str]:
    """Have ``act`` called with the number of each thing that a save does to the disk -> what it has done so far."""
    done: list[str] = []

    def around(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def call(*arguments: Any, **options: Any) -> Any:
            done.append(name)
            act(len(done))
            return real(*arguments, **options)

        monkeypatch.setattr(owner, name, call)

    around(os, "fsync")
    around(Path, "replace")
    around(Path, "write_text")
    around(folders.shutil, "rmtree")
    return done


def test_whatever_stage_of_a_save_is_the_last_one_a_whole_checkpoint_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        store, replay = CheckpointStore(tmp_path / "count"), filled(new_replay(), 0, 6)
        done = stages(patch, lambda k: None)
        store.save(6, {"step": 6}, replay)
        count = len(done)
    assert count > 12
    for last in range(1, count + 1):
        run = tmp_path / str(last)
        store, replay = CheckpointStore(run), filled(new_replay(), 0, 6)
        store.save(6, {"step": 6}, replay)

        def end(k: int, last: int = last) -> None:
            if k >= last:  # whatever is done afterwards fails too: the process is gone
                raise Killed

        with monkeypatch.context() as patch:
            stages(patch, end)
            with pytest.raises(Killed):
                store.save(12, {"step": 12}, filled(replay, 6, 12))
        found, back = read(run), new_replay()
        assert found.step == found.state["step"]
        assert found.step in (6, 12)
        found.replay.load(back)
        assert back.added == found.step
        # And the run goes on from there.
        CheckpointStore(run, found.replay).save(18, {"step": 18}, filled(back, back.added, 18))
        assert read(run).step == 18


def test_a_full_disk_leaves_the_last_good_checkpoint_and_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, replay = CheckpointStore(tmp_path), filled(new_replay(), 0, 6)
    store.save(6, {"step": 6}, replay)
    before = files(tmp_path)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("mtrl.checkpoints.store.save_arrays", full)
        with pytest.raises(OSError, match="No space left"):
            store.save(12, {"step": 12}, filled(replay, 6, 12))
    assert read(tmp_path).step == 6
    assert {path.name for path in files(tmp_path)} - {path.name for path in before} == {"6-12.safetensors"}
    store.save(15, {"step": 15}, filled(replay, 12, 15))
    found, back = read(tmp_path), new_replay()
    found.replay.load(back)
    assert (found.step, back.added) == (15, 15)
