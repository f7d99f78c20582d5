"""Episodes as they are watched: numbers, pictures, files of both kinds, and films while a run is trained."""

from __future__ import annotations

import dataclasses
import io
import itertools
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from envs import errors
from envs.registry import make_suite
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import TaskSuite
from envs.tabletop import suite as tabletop
from mtrl import evaluate, train
from mtrl.errors import UsageError
from mtrl.video import camera, recording
from mtrl.video.camera import Camera
from mtrl.video.drawing import drawing_env
from mtrl.video.film import film
from mtrl.video.mosaic import LABEL, Mosaic
from mtrl.video.playing import moments
from mtrl.video.recording import check_film, ffmpeg, gif_of, write_mp4
from tests.mtrl.conftest import Said, Scripted, same_weights, scripted_suite, tiny, zeros
from tests.mtrl.tracking.test_run_log import events_of

CPU = torch.device("cpu")
Refused = Callable[..., str]


class Drawn(Scripted):
    """Draws a 10 x 20 picture whose red is 10 times the step, and whose green tells the episode."""

    def __init__(self, *arguments: Any, render_mode: str | None = None, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.render_mode, self.drawn = render_mode, 0

    def render(self) -> Any:
        self.drawn += 1
        return np.full((10, 20, 3), (10 * self.t, 100 * self.episode, 0), dtype=np.uint8)


def suite_of_two() -> TaskSuite:
    """Task a: two steps, solved at the first; task b: three steps, solved at the last."""
    return scripted_suite(
        a=partial(Drawn, (1.0, 2.0), success=(1.0, 0.0)), b=partial(Drawn, (1.0,) * 3, success=(0.0, 0.0, 1.0))
    )


def test_each_task_plays_one_episode_and_then_stays_where_it_ended() -> None:
    told = [*moments(drawing_env(suite_of_two(), "--x"), zeros, 0, CPU)]
    assert [m.step for m in told] == [0, 1, 2, 3]
    assert [m.steps.tolist() for m in told] == [[0, 0], [1, 1], [2, 2], [2, 3]]
    assert [m.totals.tolist() for m in told] == [[0, 0], [1, 1], [3, 2], [3, 3]]
    assert [m.solved.tolist() for m in told] == [[False] * 2, [True, False], [True, False], [True, True]]
    assert [m.running.tolist() for m in told] == [[True, True], [True, True], [False, True], [False, False]]


def test_a_task_that_ended_keeps_its_last_picture_and_a_solved_one_is_marked() -> None:
    """Tiles are 20 pixels wide: task a's at the left, task b's at the right, each picture 10 pixels high."""
    frames, every = film(drawing_env(suite_of_two(), "--x"), zeros, 0, CPU, 20, 10)
    assert every == 1
    middles = [(10, LABEL + 5), (34, LABEL + 5)]
    assert [[frame.getpixel(at)[0] for at in middles] for frame in frames] == [[0, 0], [10, 10], [10, 20], [10, 20]]
    corners = [(0, 0), (24, 0)]
    green = (215, 240, 221)
    assert [[frame.getpixel(at) == green for at in corners] for frame in frames] == [
        *([False, False], [True, False], [True, False], [True, True])
    ]


def test_a_long_episode_is_thinned_out_evenly_and_keeps_its_end() -> None:
    env = drawing_env(scripted_suite(a=partial(Drawn, (0.0,) * 21)), "--x")
    frames, every = film(env, zeros, 0, CPU, 20, 8)
    assert every == 4
    assert [frame.getpixel((10, LABEL + 5))[0] for frame in frames] == [0, 40, 80, 120, 160, 200, 200]
    drawn = env.engine._rows[0].env.unwrapped.drawn  # type: ignore[attr-defined]
    assert drawn < 21


def test_names_that_begin_alike_stay_different_above_their_pictures() -> None:
    names = ("a-very-long-name-of-a-task-open", "a-very-long-name-of-a-task-shut")
    env = drawing_env(scripted_suite(**{name: partial(Drawn, (0.0,)) for name in names}), "--x")
    (first, *_) = moments(env, zeros, 0, CPU)
    picture = np.asarray(Mosaic(env, 60).draw(first))
    one, other = picture[:14, :60], picture[:14, 64:124]  # names alone: what is below them is the same
    assert (one != other).any()


def test_the_grid_has_the_columns_asked_for_and_even_sides() -> None:
    env = drawing_env(scripted_suite(**{f"t{k}": partial(Drawn, (0.0,)) for k in range(5)}), "--x")
    (first, *_) = moments(env, zeros, 0, CPU)
    assert Mosaic(env, 21, 2).draw(first).size == (2 * 25, 3 * (25 + LABEL) + 1)
    assert Mosaic(env, 21).draw(first).size == (4 * 25, 2 * (25 + LABEL))


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (Scripted, "unexpected keyword argument 'render_mode'"),
        (lambda render_mode: Scripted(), "render() failed"),
    ],
)
def test_a_task_that_cannot_draw_is_named_with_the_flag(make: Any, part: str) -> None:
    with pytest.raises(UsageError, match="--record needs environments that can render: task 'a'") as error:
        drawing_env(scripted_suite(a=make), "--record")
    assert part in str(error.value)
    for what in ("add a method render()", "render_mode='rgb_array'", "metadata['render_modes']"):
        assert what in str(error.value)


class Blind:
    """A simulator without a method render()."""

    obs_size, action_size, action_mask = 1, 1, np.ones((1, 1), dtype=bool)

    def reset(self, rows: np.ndarray, seeds: Any) -> np.ndarray:
        return np.zeros((len(rows), 1), np.float32)

    def close(self) -> None:
        pass


class Dark(Blind):
    """A simulator whose renderer does not start."""

    def render(self, rows: Any) -> list[np.ndarray]:
        raise RuntimeError("no OpenGL context")


@pytest.mark.parametrize(("simulator", "words"), [(Blind, "AttributeError"), (Dark, "RuntimeError: no OpenGL context")])
def test_a_simulator_that_cannot_draw_is_named_with_what_to_add(simulator: type[Blind], words: str) -> None:
    suite = dataclasses.replace(scripted_suite(a=Scripted), simulator=lambda *_: simulator())
    with pytest.raises(UsageError, match=rf"suite 'scripted': {words}.*add a method render\(\)"):
        drawing_env(suite, "--record")


def test_a_pendulum_that_lacks_its_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors.importlib.util, "find_spec", lambda _: None)
    suite = make_suite("pendulum-length").only(["length-1"])
    with pytest.raises(UsageError) as error:
        drawing_env(suite, "--record")
    line = "--record needs environments that can render: pygame is not installed: pip install -e '.[classic]'"
    assert str(error.value) == line
    MultiTaskVectorEnv(suite, 1).reset(seed=0)  # to be trained on it needs nothing


def test_a_pendulum_is_filmed() -> None:
    pytest.importorskip("pygame")
    frames, _ = film(drawing_env(make_suite("pendulum-gravity:4"), "--record"), zeros, 0, CPU, 60, 4)
    assert len(np.unique(np.asarray(frames[0]))) > 10  # the rod, its axle and the words


def moving(count: int) -> list[Image.Image]:
    frames = [Image.new("RGB", (64, 48), "white") for _ in range(count)]
    for k, frame in enumerate(frames):
        frame.paste((200, 30, 30), (4 * k, 10, 4 * k + 12, 30))
    return frames


def test_a_gif_plays_its_pictures_at_the_pace_asked_for() -> None:
    with Image.open(io.BytesIO(gif_of(moving(8), 10))) as read:
        assert (read.n_frames, read.size, read.info["duration"], read.info["loop"]) == (8, (64, 48), 100, 0)
        for k in range(8):
            read.seek(k)
            assert read.convert("RGB").getpixel((4 * k + 6, 20)) == (200, 30, 30)


def test_an_mp4_decodes_to_its_pictures(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    path = tmp_path / "-a:b.mp4"
    write_mp4(moving(8), path, 10)
    decode = [ffmpeg(), "-i", f"file:{path}", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(decode, capture_output=True, check=True)
    about = done.stderr.decode()
    assert "Video: h264" in about
    assert "64x48" in about
    assert "10 fps" in about
    frames = list(np.frombuffer(done.stdout, np.uint8).reshape(-1, 48, 64, 3))
    assert len(frames) == 8
    for k, frame in enumerate(frames):
        assert np.abs(frame[20, 4 * k + 6].astype(int) - (200, 30, 30)).max() < 40
        assert frame[40, 60].min() > 230


def test_a_film_that_cannot_be_written_is_refused_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_film(tmp_path / "a.GIF")
    with pytest.raises(UsageError, match=r"'film.avi'; it has to end in .gif or .mp4"):
        check_film(Path("film.avi"))
    with pytest.raises(UsageError, match=r"no' cannot be written|there is no folder '.*no'"):
        check_film(tmp_path / "no" / "a.gif")
    monkeypatch.setattr(recording, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"pip install -e '.\[video\]', or give --record a .gif"):
        check_film(tmp_path / "a.mp4")
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    check_film(tmp_path / "a.mp4")


def test_what_ffmpeg_says_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\ncat > /dev/null\necho one >&2\necho 'no such codec' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(recording, "ffmpeg", lambda: str(program))
    with pytest.raises(OSError, match="^no such codec$"):
        write_mp4(moving(2), tmp_path / "a.mp4", 10)


def test_a_film_of_the_ten_tasks_for_tensorboard_is_small() -> None:
    generator = torch.Generator().manual_seed(0)
    gif = Camera(tabletop, 0, CPU).film(lambda obs: torch.rand(*obs.shape[:2], 3, generator=generator) * 2 - 1)
    assert gif is not None
    assert gif.width == 300
    assert len(gif.data) < 1_000_000


def test_tasks_that_are_not_shown_are_played_and_not_drawn() -> None:
    """Task b is shown alone: as long as its episode lasts, by its own name, and a is drawn once, in the check."""
    env = drawing_env(suite_of_two(), "--x")
    (frames, every), whole = film(env, zeros, 0, CPU, 20, 9, shown=[1]), film(env, zeros, 0, CPU, 20, 9)
    assert ([frame.getpixel((10, LABEL + 5))[0] for frame in frames], every) == ([0, 10, 20, 20], 1)  # type: ignore[index]
    assert frames[0].size == (24, 24 + LABEL)
    assert whole.frames[0].size == (48, 24 + LABEL)
    again = drawing_env(suite_of_two(), "--x")
    film(again, zeros, 0, CPU, 20, 9, shown=[1])
    assert again.engine._rows[0].env.unwrapped.drawn == 1  # type: ignore[attr-defined]


def test_of_many_tasks_the_first_of_each_group_is_filmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "MAX_FRAMES", 2)
    fifty = make_suite("tabletop-50")
    gif = Camera(fifty, 0, CPU).film(lambda obs: torch.zeros(*obs.shape[:2], 3))
    of_ten = Camera(tabletop, 0, CPU).film(lambda obs: torch.zeros(*obs.shape[:2], 3))
    assert gif is not None
    assert of_ten is not None
    assert (gif.width, gif.height) == (of_ten.width, of_ten.height)


def test_an_environment_that_fails_ends_the_films_and_not_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    calls = itertools.count()

    class Breaks(Drawn):
        def step(self, action: np.ndarray) -> Any:
            if next(calls) > 1:
                raise RuntimeError("the renderer is gone")
            return super().step(action)

    one = Camera(scripted_suite(a=partial(Breaks, (0.0,) * 2)), 0, CPU)
    assert one.film(zeros) is not None
    assert one.film(zeros) is None
    assert "warning: no more videos are recorded" in capsys.readouterr().err
    assert one.film(zeros) is None
    assert capsys.readouterr().err == ""


def test_filming_changes_nothing_in_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "MAX_FRAMES", 2)
    for name, every in (("with", "32"), ("without", "0")):
        assert train.main(tiny(tmp_path / name, "--baseline", "none", "--record-every", every)) == 0
    run, plain = (tmp_path / name / "tabletop" / "care" / "seed0" for name in ("with", "without"))
    assert same_weights(run, plain)
    assert [picture.step for picture in events_of(run).Images("viz/policy")] == [32, 64]
    assert "viz/policy" not in events_of(plain).Tags()["images"]


BLIND = """
from mtrl import Task, TaskSuite
from tests.mtrl.conftest import Scripted
suite = TaskSuite("blind", [Task("a", lambda **kwargs: Scripted((1.0, 1.0), success=(0.0, 1.0)), "Do a.")])
"""


def test_tasks_that_cannot_draw_are_trained_and_scored_all_the_same_and_one_line_says_what_to_add(
    call: Callable[..., Said], plug_in: Callable[..., str], tmp_path: Path
) -> None:
    plug_in(BLIND)
    chosen = ("--suite", "my_suite:suite", "--tasks", "a", "--baseline", "none", "--workers", "0")
    said = call(train.main, *tiny(tmp_path / "runs", *chosen, "--record-every", "32"))
    assert said.code == 0
    warning = "warning: no videos are recorded, training continues: --record-every needs environments that can render"
    assert [line.startswith(warning) for line in said.err.splitlines()] == [True]
    run = tmp_path / "runs" / "blind" / "care" / "seed0"
    assert (run / "result.json").exists()

    said = call(evaluate.main, run, "--suite", "my_suite:suite", "--record", tmp_path / "x.gif")
    assert said.code == 2
    assert "blind: success over 50 episodes" in " ".join(said.out.split())
    assert (run / "evaluation.json").exists()
    (line,) = said.err.splitlines()
    assert line.startswith("error: --record needs environments that can render")
    assert "add a method render()" in said.err
    assert not (tmp_path / "x.gif").exists()


def test_films_of_sb3_are_refused_before_a_run_is_made(refused: Refused, tmp_path: Path) -> None:
    line = refused(train.main, "--agent", "sb3", "--runs-dir", tmp_path / "runs", "--record-every", "10")
    assert "--record-every is 10, and agent 'sb3'" in line
    assert not (tmp_path / "runs").exists()
