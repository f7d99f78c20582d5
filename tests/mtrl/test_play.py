"""Watching a run: episodes in a window, and one line where there is no display."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mtrl import play, window
from mtrl.cli import UsageError
from mtrl.window import Window
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
        (("--task", "reach", "--episodes", "0"), "--episodes is 0; it has to be at least 1"),
        (("--task", "reach", "--seed", "-1"), "--seed is -1; it has to be at least 0"),
        (("--task", "reach", "--fps", "0"), "--fps is 0.0; it has to be a number above 0"),
        (("--task", "reach", "--fps", "nan"), "--fps is nan"),
        (("--task", "held-out"), "'held-out'"),
        ((), "--task"),
    ],
)
def test_bad_input_is_named(
    refused: Refused, care_run: Path, glass: type[Glass], arguments: tuple[str, ...], part: str
) -> None:
    assert part in refused(play.main, care_run, *arguments)


def test_without_a_display_a_film_is_offered(refused: Refused, care_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    line = refused(play.main, care_run, "--task", "reach")
    assert "python -m mtrl.evaluate RUN --record film.gif" in line


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A display in memory, where the program for it is installed."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert server.stdout is not None
    name = f":{server.stdout.readline().decode().strip()}"
    monkeypatch.setenv("DISPLAY", name)
    yield name
    server.terminate()
    server.wait()
    server.stdout.close()


def test_a_window_shows_the_picture_and_escape_closes_it(display: str) -> None:
    pytest.importorskip("tkinter")
    with Window("a title", 1000.0) as one:
        assert one.show(Image.new("RGB", (120, 80), "red"))
        assert (one._label.winfo_width(), one._label.winfo_height()) == (120, 80)
        assert one._root.title() == "a title"
        one._root.event_generate("<Escape>", when="now")
        assert not one.open
        assert not one.show(Image.new("RGB", (120, 80), "blue"))


def test_pictures_take_their_turn(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 4 a second a picture waits a quarter of a second for its turn; the clock is one that sleeping moves."""
    pytest.importorskip("tkinter")
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    with Window("t", 4.0) as one:
        begins = []
        for _ in range(3):
            one.show(Image.new("RGB", (8, 8)))
            begins.append(now[0])
    assert begins == pytest.approx([100.0, 100.25, 100.5])


def test_a_window_that_cannot_be_opened_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", ":9999")
    with pytest.raises(UsageError, match=r"no window can be opened \(.*:9999"):
        Window("t", 1.0)
