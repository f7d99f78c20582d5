"""Finished episodes as they come out of a step: whose they are, what they came to, and none that was lost."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mtrl.rollout.episodes import Episode, finished_episodes, success_rate

NAN = math.nan


def info(ended: list[bool]) -> dict:
    """A step of two tasks in two copies."""
    statistics = {"r": np.arange(4.0), "l": np.arange(4) + 10, "success_any": np.array([1.0, 0.0, NAN, 1.0])}
    return {"_episode": np.array(ended), "episode": statistics, "success": np.array([0.0, 0.0, NAN, 1.0])}


def test_each_episode_is_its_tasks_and_copys() -> None:
    assert finished_episodes(info([False] * 4), copies=2) == []
    first, last = finished_episodes(info([True, False, False, True]), copies=2)
    assert first == Episode(task=0, copy=0, total=0.0, length=10, success_any=1.0, success_last=0.0)
    assert last == Episode(task=1, copy=1, total=3.0, length=13, success_any=1.0, success_last=1.0)


def test_success_that_is_not_said_is_nan() -> None:
    (episode,) = finished_episodes(info([False, False, True, False]), copies=2)
    assert (episode.task, episode.copy) == (1, 0)
    assert math.isnan(episode.success_any)
    assert math.isnan(episode.success_last)


@pytest.mark.parametrize(
    ("said", "rate"), [([1.0, 0.0, 0.0, 1.0], 0.5), ([1.0, NAN], 0.5), ([NAN, NAN], NAN), ([0.0, NAN], 0.0)]
)
def test_silence_is_failure_only_where_another_episode_says_something(said: list[float], rate: float) -> None:
    assert success_rate(said) == pytest.approx(rate, nan_ok=True)
