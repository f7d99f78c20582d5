"""Watching a run: episodes in a window, and one line where there is no display."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mtrl import play
from mtrl.errors import UsageError
from mtrl.video import window
from mtrl.video.window import Window
from tests.mtrl.conftest import Said

Refused = Callable[..., str]


class Glass:
    """A window that keeps what it is shown, and is closed after so many pictures."""

    patience = 10_000
    shown: list[Image.Image]

    def __init__(self, title: str, fps: float) -> None:
        type(self).shown = self.pictures = []
        self.title, self.fps, self.open = title, fps, True

    def show(self, picture: Image.Image) -> bool:
        self.pictures.append(picture)
        self.open = len(self.pictures) < self.patience
        return self.open

    def __enter__(self) -> Glass:
        return self

    def __exit__(self, *_: Any) -> None:
        self.open = False


@pytest.fixture
def glass(monkeypatch: pytest.MonkeyPatch) -> type[Glass]:
    monkeypatch.setattr(window, "Window", Glass)
    monkeypatch.setattr(Glass, "patience", 10_000)
    return Glass


def test_every_step_of_every_episode_is_shown_and_what_came_of_it_said(
    call: Callable[..., Said], care_run: Path, glass: type[Glass]
) -> None:
    """An episode of tabletop has 100 steps, and its first picture is that of the start."""
    said = call(play.main, care_run, "--task", "push", "--episodes", "2", "--seed", "3")
    assert (said.code, said.err) == (0, "")
    first, second = said.out.splitlines()
    assert first.startswith("episode 1: 100 steps, return ")
    assert second.startswith("episode 2: 100 steps, return ")
    assert len(glass.shown) == 2 * 101
    assert glass.shown[0].tobytes() != glass.shown[101].tobytes()  # another seed, another start
    assert min(glass.shown[0].size) >= play.SIDE


def test_closing_the_window_ends_it_at_once(call: Callable[..., Said], care_run: Path, glass: type[Glass]) -> None:
    glass.patience = 5
    said = call(play.main, care_run, "--task", "reach")
    assert (said.code, said.out, len(glass.shown)) == (0, "", 5)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--task", "gone"), "unknown task 'gone'"),
        (("--task", "reach", "--episodes", "0"), "--episodes is 0; it must be at least 1"),
        (("--task", "reach", "--seed", "-1"), "--seed is -1; it must be at least 0"),
        (("--task", "reach", "--fps", "0"), "--fps is 0.0; it must be a number above 0"),
        (("--task", "reach", "--fps", "nan"), "--fps is nan"),
        (("--task", "held-out"), "'held-out'"),
        ((), "--task"),
    ],
)
def test_bad_input_is_named(
    refused: Refused, care_run: Path, glass: type[Glass], arguments: tuple[str, ...], part: str
) -> None:
    assert part in refused(play.main, care_run, *arguments)


def test_without_a_display_a_video_is_offered(
    refused: Refused, care_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    line = refused(play.main, care_run, "--task", "reach")
    assert "python -m mtrl.evaluate RUN --record video.gif" in line


ESCAPE = """
with Window("a title", 1000.0) as one:
    said = [one.show(Image.new("RGB", (120, 80), "red")), one._label.winfo_width(), one._label.winfo_height()]
    said.append(one._root.title())
    one._root.focus_force()
    one._root.event_generate("<Escape>")
    one._root.update() if one.open else None
    said += [one.open, one.show(Image.new("RGB", (120, 80), "blue"))]
"""
# The clock is one that sleeping moves.
TURNS = """
now, said = [100.0], []
time.monotonic = lambda: now[0]
time.sleep = lambda seconds: now.__setitem__(0, now[0] + seconds)
with Window("t", 4.0) as one:
    for _ in range(3):
        one.show(Image.new("RGB", (8, 8)))
        said.append(round(now[0], 6))
"""


def in_a_display(script: str) -> list[Any]:
    """Run a script on a display in memory -> its list ``said``. Tk would end ours with the display.

    Skips where the program for it, or tkinter, is not installed.
    """
    pytest.importorskip("tkinter")
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            assert server.stdout is not None
            env = {**os.environ, "DISPLAY": f":{server.stdout.readline().decode().strip()}"}
            head = "import json, time\nfrom PIL import Image\nfrom mtrl.video.window import Window\n"
            code = f"{head}{script}\nprint(json.dumps(said))"
            done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
        finally:
            server.terminate()
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_a_window_shows_the_picture_and_escape_closes_it() -> None:
    assert in_a_display(ESCAPE) == [True, 120, 80, "a title", False, False]


def test_pictures_take_their_turn() -> None:
    """At 4 a second a picture waits a quarter of a second for its turn."""
    assert in_a_display(TURNS) == [100.0, 100.25, 100.5]


def test_a_window_that_cannot_be_opened_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", ":9999")
    with pytest.raises(UsageError, match=r"no window can be opened \(.*:9999"):
        Window("t", 1.0)
