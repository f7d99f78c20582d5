"""An environment that changes the working folder leaves runs where they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.stepping.copies import CheckedEnv
from envs.suite import Task
from tests.envs.failing import Walk


class Moving(Walk):
    """Changes the working folder when it is made, or at its resets."""

    def __init__(self, folder: Path, call: str) -> None:
        super().__init__()
        self.folder, self.call = folder, call
        if call == "make":
            os.chdir(folder)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        if self.call == "reset":
            os.chdir(self.folder)
        return super().reset(seed=seed)


@pytest.mark.parametrize("call", ["make", "reset"])
def test_the_working_folder_is_restored_with_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], call: str
) -> None:
    monkeypatch.setattr("envs.errors._warned", set())
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(here)
    task = Task("moves", lambda: Moving(elsewhere, call), "Go elsewhere.")
    for _ in range(2):
        CheckedEnv(task, task.make_env()).reset(0)
        assert os.getcwd() == str(here)
    (line,) = capsys.readouterr().err.splitlines()
    assert f"task 'moves': {call}() changed the working folder to {str(elsewhere)!r}" in line


def test_the_working_folder_is_restored_if_making_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()

    def broken() -> Any:
        os.chdir("other")
        raise OSError("no such model")

    with pytest.raises(ValueError, match="making its environment failed: OSError: no such model"):
        Task("broken", broken, "Break.").make_env()
    assert os.getcwd() == str(tmp_path)


def test_a_working_folder_that_was_removed_is_not_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert Task("walk", Walk, "Walk.").make_env().reset(seed=0)[0].shape == (3,)
