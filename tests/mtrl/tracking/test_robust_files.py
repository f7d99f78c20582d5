"""A full disk, a removed folder or a closed pipe: training continues, with one line about it."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mtrl import train
from mtrl.checkpoints.lock import LOCK
from mtrl.tracking import robust_files
from mtrl.tracking.robust_files import LineFile, WarnOnce
from mtrl.tracking.run_log import RunLog
from mtrl.training.session import Saving
from tests.mtrl.checkpoints.test_resume import compared
from tests.mtrl.conftest import Said, metrics, read_json, same_weights, tiny

ROOT = Path(__file__).parents[3]
ALONE = ("--agent", "mtsac", "--baseline", "none")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """``left``: so many bytes of lines does the disk take before it is full."""
    space = {"left": 10**9}
    real = os.write

    def write(handle: int, data: bytes) -> int:
        if not space["left"]:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = real(handle, data[: space["left"]])
        space["left"] -= taken
        return taken

    monkeypatch.setattr(robust_files.os, "write", write)
    yield space
    space["left"] = 10**9


def test_lines_that_a_full_disk_refuses_are_added_once_there_is_room(
    disk: dict[str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RunLog(tmp_path) as log:
        log.scalars(1, {"a": 1.0})
        disk["left"] = 7
        for step in range(2, 9):
            log.scalars(step, {"a": float(step), "b": 0.5})
        with pytest.raises(OSError, match="lacks lines"):
            log.state_dict()
        assert (tmp_path / "metrics.csv").read_text().count("\n") == 2
        (said,) = capsys.readouterr().err.splitlines()
        assert said.startswith(f"warning: {tmp_path / 'metrics.csv'} cannot be written (No space left on device)")
        disk["left"] = 10**9
        log.scalars(9, {"a": 9.0})
        assert log.state_dict()["metrics.csv"] == (tmp_path / "metrics.csv").stat().st_size
    assert [(step, value) for step, tag, value in metrics(tmp_path) if tag == "a"] == [(k, k) for k in range(1, 10)]


def test_tensorboard_is_left_out_where_it_cannot_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with RunLog(tmp_path) as log:
        monkeypatch.setattr("torch.utils.tensorboard.writer.SummaryWriter.add_scalar", full)
        for step in range(5):
            log.scalars(step, {"a": float(step)})
        log.text("t", "words")
    assert len(metrics(tmp_path)) == 5
    assert capsys.readouterr().err.count("warning") == 1


@pytest.mark.parametrize("how", ["removed", "moved", "copied"])
def test_a_file_that_is_gone_is_created_again_with_all_of_its_content(how: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    file = LineFile(folder / "lines", 0, WarnOnce())
    file.write("one\n")
    assert file.flush()
    shutil.rmtree(folder) if how == "removed" else folder.rename(tmp_path / "elsewhere")
    if how == "copied":
        shutil.copytree(tmp_path / "elsewhere", folder)
    file.write("two\n")
    assert file.flush() is (how != "copied")  # it may be another run's
    if how == "copied":
        assert (folder / "lines").read_text() == "one\n"
        (folder / "lines").unlink()
    file.write("three\n")
    assert file.size() == len("one\ntwo\nthree\n")
    assert (folder / "lines").read_text() == "one\ntwo\nthree\n"
    file.close()


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], None]:
    """``at_step(k, act)``: do something once so many steps per task are done."""

    def arrange(step: int, act: Callable[[], object]) -> None:
        def call(self: Saving, now: Any) -> None:
            if now.span.before < 24 <= now.span.step:
                assert self.save(now.span.step)
            if now.span.before < step <= now.span.step:
                act()

        monkeypatch.setattr(Saving, "__call__", call)

    return arrange


@pytest.mark.parametrize("step", [30, 64])
def test_a_run_whose_folder_is_removed_ends_as_any_other(
    step: int, tmp_path: Path, call: Callable[..., Said], at_step: Callable[..., None]
) -> None:
    run, whole = (tmp_path / name / "tabletop" / "mtsac" / "seed0" for name in ("runs", "whole"))

    def remove() -> None:
        while run.exists():  # TensorBoard's thread may just be writing
            shutil.rmtree(run, ignore_errors=True)

    at_step(step, remove)
    said = call(train.main, *tiny(tmp_path / "runs", *ALONE, "--keep-checkpoint"))
    assert said.code == 0, said
    assert said.err == f"warning: {str(run)!r} was removed during training; it is created again\n"
    at_step(step, lambda: None)
    assert call(train.main, *tiny(tmp_path / "whole", *ALONE)).code == 0
    assert compared(run) == compared(whole)
    assert same_weights(run, whole)
    assert read_json(run / "config.json")["seed"] == 0
    assert not (run / LOCK).exists()
    # The checkpoint holds the whole replay again.
    assert call(train.main, "--resume", run, "--steps-per-task", "70").code == 0


def test_a_run_leaves_a_folder_alone_that_another_run_has_taken(
    tmp_path: Path, call: Callable[..., Said], at_step: Callable[..., None]
) -> None:
    run = tmp_path / "tabletop" / "mtsac" / "seed0"
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])

    def take() -> None:
        shutil.rmtree(run)
        run.mkdir()
        (run / "metrics.csv").write_text("another's\n")
        started = psutil.Process(other.pid).create_time()
        (run / LOCK).write_text(f'{{"pid": {other.pid}, "started": {started}}}')

    try:
        at_step(30, take)
        said = call(train.main, *tiny(tmp_path, *ALONE))
    finally:
        other.kill()
        other.wait()
    assert said.code == 1
    error = said.err.splitlines()[-1]
    rescued = run.with_name("seed0-2")
    assert error.endswith(f"now trains another run there; the weights so far are in {rescued}")
    assert (rescued / "weights.safetensors").is_file()
    assert (run / "metrics.csv").read_text() == "another's\n"
    assert (run / LOCK).exists()


def test_a_result_that_cannot_be_written_is_1_and_scored_by_going_on(
    tmp_path: Path, call: Callable[..., Said], disk: dict[str, int]
) -> None:
    run = tmp_path / "tabletop" / "mtsac" / "seed0"
    real = Saving.save

    def saved(self: Saving, step: int) -> bool:
        done = real(self, step)
        if step == 64:
            disk["left"] = 0
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Saving, "save", saved)
        said = call(train.main, *tiny(tmp_path, *ALONE))
    assert said.code == 1, said
    assert said.err.splitlines()[-1].endswith("free some space and resume the run, which only has to be scored")
    assert not (run / "result.json").exists()
    disk["left"] = 10**9
    assert call(train.main, "--resume", run).code == 0
    assert read_json(run / "result.json")["steps_per_task"] == 64


def test_a_reader_that_is_gone_does_not_end_a_training(tmp_path: Path) -> None:
    words = " ".join(tiny(tmp_path, *ALONE))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"'{sys.executable}' -m mtrl.train {words} | head -1"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("mtsac on tabletop")
    assert read_json(tmp_path / "tabletop" / "mtsac" / "seed0" / "result.json")["steps_per_task"] == 64
