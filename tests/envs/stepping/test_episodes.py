"""Statistics of episodes added up by hand: returns, lengths, success at any step; and restored from a state."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from envs.stepping.episodes import EpisodeStatistics

NAN = math.nan


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_returns_and_lengths_add_up_until_an_episode_ends() -> None:
    statistics = EpisodeStatistics(2)
    statistics.step(column(1.0, 10.0), column(0, 0))
    found = statistics.step(column(2.5, 20.0), column(0, 0))
    assert (found["r"].tolist(), found["l"].tolist()) == ([3.5, 30.0], [2, 2])
    statistics.restart(np.array([True, False]))
    found = statistics.step(column(-1.0, 30.0), column(0, 0))
    assert (found["r"].tolist(), found["l"].tolist()) == ([-1.0, 60.0], [1, 3])


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ((1.0, 0.0), 1.0),
        ((0.0, 1.0), 1.0),
        ((0.0, 0.0), 0.0),
        ((NAN, NAN), NAN),
        ((1.0, NAN), 1.0),
        ((NAN, 1.0), 1.0),
        ((NAN, 0.0, NAN), 0.0),
    ],
)
def test_success_at_any_step_is_the_largest_that_was_reported(reported: tuple[float, ...], expected: float) -> None:
    statistics = EpisodeStatistics(1)
    for one in reported:
        found = statistics.step(column(0.0), column(one))
    assert_array_equal(found["success_any"], [expected])


def test_returned_statistics_do_not_change() -> None:
    statistics = EpisodeStatistics(1)
    first = statistics.step(column(1.0), column(1.0))
    statistics.restart(np.array([True]))
    statistics.step(column(5.0), column(0.0))
    assert (first["r"].tolist(), first["l"].tolist(), first["success_any"].tolist()) == ([1.0], [1], [1.0])


def test_tensors_are_added_up_as_exactly_as_arrays() -> None:
    """0.1 is added up a thousand times in float64, whatever the rewards' own type."""
    found = []
    for convert in (np.asarray, torch.as_tensor):
        statistics = EpisodeStatistics(1)
        for _ in range(1_000):
            last = statistics.step(convert(column(0.1)), convert(column(NAN)))
        found.append(float(last["r"][0]))
    assert found[0] == found[1] == pytest.approx(1_000 * float(np.float32(0.1)), abs=1e-9)


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor])
def test_a_state_is_restored_in_another(convert) -> None:  # type: ignore[no-untyped-def]
    one, other = EpisodeStatistics(2), EpisodeStatistics(2)
    one.step(convert(column(1.0, 2.0)), convert(column(NAN, 1.0)))
    other.load_state_dict(one.state_dict())
    step = convert(column(0.5, 0.5)), convert(column(0.0, 0.0))
    mine, theirs = one.step(*step), other.step(*step)
    assert theirs["r"].tolist() == mine["r"].tolist() == [1.5, 2.5]
    assert theirs["l"].tolist() == [2, 2]
    assert theirs["success_any"].tolist() == [0.0, 1.0]
