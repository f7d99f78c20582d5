"""Frames of episodes: their numbers, and the tasks' images side by side."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from envs.registry import make_suite
from mtrl.video.drawing import drawing_env
from mtrl.video.frames import record_video
from mtrl.video.mosaic import LABEL_HEIGHT, Mosaic
from mtrl.video.playing import episode_frames
from tests.mtrl.conftest import scripted_suite, zeros
from tests.mtrl.video.drawn import Drawn, suite_of_two

CPU = torch.device("cpu")


def test_each_task_plays_one_episode_and_then_stays_where_it_ended() -> None:
    frames = [*episode_frames(drawing_env(suite_of_two(), "--x"), zeros, 0, CPU)]
    assert [m.step for m in frames] == [0, 1, 2, 3]
    assert [m.steps.tolist() for m in frames] == [[0, 0], [1, 1], [2, 2], [2, 3]]
    assert [m.returns.tolist() for m in frames] == [[0, 0], [1, 1], [3, 2], [3, 3]]
    assert [m.solved.tolist() for m in frames] == [[False] * 2, [True, False], [True, False], [True, True]]
    assert [m.running.tolist() for m in frames] == [[True, True], [True, True], [False, True], [False, False]]


def test_an_episode_is_played_to_its_end_unless_it_is_limited() -> None:
    suite = scripted_suite(a=partial(Drawn, (1.0,) * 600))
    whole = [*episode_frames(drawing_env(suite, "--x"), zeros, 0, CPU)]
    assert (whole[-1].step, whole[-1].returns.tolist(), whole[-1].running.tolist()) == (600, [600.0], [False])
    limited = [*episode_frames(drawing_env(suite, "--x"), zeros, 0, CPU, max_steps=20)]
    assert (limited[-1].step, limited[-1].running.tolist()) == (20, [True])


def test_a_task_that_ended_keeps_its_last_image_and_a_solved_one_is_marked() -> None:
    """Tiles are 20 pixels wide: task a's at the left, task b's at the right, each image 10 pixels high."""
    frames, every = record_video(drawing_env(suite_of_two(), "--x"), zeros, 0, CPU, 20, 10)
    assert every == 1
    middles = [(10, LABEL_HEIGHT + 5), (34, LABEL_HEIGHT + 5)]
    assert [[frame.getpixel(at)[0] for at in middles] for frame in frames] == [[0, 0], [10, 10], [10, 20], [10, 20]]
    corners = [(0, 0), (24, 0)]
    green = (215, 240, 221)
    assert [[frame.getpixel(at) == green for at in corners] for frame in frames] == [
        *([False, False], [True, False], [True, False], [True, True])
    ]


def test_a_long_episode_is_thinned_out_evenly_and_keeps_its_end() -> None:
    env = drawing_env(scripted_suite(a=partial(Drawn, (0.0,) * 21)), "--x")
    frames, every = record_video(env, zeros, 0, CPU, 20, 8)
    assert every == 4
    assert [frame.getpixel((10, LABEL_HEIGHT + 5))[0] for frame in frames] == [0, 40, 80, 120, 160, 200, 200]
    drawn = env.engine._rows[0].env.unwrapped.drawn  # type: ignore[attr-defined]
    assert drawn < 21


def test_tasks_that_are_not_shown_are_played_and_not_drawn() -> None:
    """Task b is shown alone: as long as its episode lasts, by its own name, and a is drawn once, in the check."""
    env = drawing_env(suite_of_two(), "--x")
    (frames, every), both = record_video(env, zeros, 0, CPU, 20, 9, shown=[1]), record_video(env, zeros, 0, CPU, 20, 9)
    assert ([frame.getpixel((10, LABEL_HEIGHT + 5))[0] for frame in frames], every) == ([0, 10, 20, 20], 1)  # type: ignore[index]
    assert frames[0].size == (24, 24 + LABEL_HEIGHT)
    assert both.frames[0].size == (48, 24 + LABEL_HEIGHT)
    again = drawing_env(suite_of_two(), "--x")
    record_video(again, zeros, 0, CPU, 20, 9, shown=[1])
    assert again.engine._rows[0].env.unwrapped.drawn == 1  # type: ignore[attr-defined]


def test_names_that_begin_alike_stay_different_above_their_images() -> None:
    names = ("a-very-long-name-of-a-task-open", "a-very-long-name-of-a-task-shut")
    env = drawing_env(scripted_suite(**{name: partial(Drawn, (0.0,)) for name in names}), "--x")
    (first, *_) = episode_frames(env, zeros, 0, CPU)
    image = np.asarray(Mosaic(env, 60).draw(first))
    one, other = image[:14, :60], image[:14, 64:124]  # names alone: what is below them is the same
    assert (one != other).any()


def test_the_grid_has_the_columns_asked_for_and_even_sides() -> None:
    env = drawing_env(scripted_suite(**{f"t{k}": partial(Drawn, (0.0,)) for k in range(5)}), "--x")
    (first, *_) = episode_frames(env, zeros, 0, CPU)
    assert Mosaic(env, 21, 2).draw(first).size == (2 * 25, 3 * (25 + LABEL_HEIGHT) + 1)
    assert Mosaic(env, 21).draw(first).size == (4 * 25, 2 * (25 + LABEL_HEIGHT))


def test_a_pendulum_is_recorded() -> None:
    pytest.importorskip("pygame")
    frames, _ = record_video(drawing_env(make_suite("pendulum-gravity:4"), "--record"), zeros, 0, CPU, 60, 4)
    assert len(np.unique(np.asarray(frames[0]))) > 10  # the rod, its axle and the words
