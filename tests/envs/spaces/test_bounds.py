"""Scaling of actions from [-1, 1] to an environment's bounds and back."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

from envs.spaces.bounds import Bounds

LOW, HIGH = np.array([[-2, 0, 5], [2, 1, 5]], dtype=np.float32)
BOUNDS = Bounds(gym.spaces.Box(LOW, HIGH))


def test_ends_and_middle_are_scaled_exactly_and_values_beyond_are_clipped() -> None:
    own = BOUNDS.unscaled(np.array([[-1.0, 0.0, 1.0], [3.0, -3.0, 0.5]], dtype=np.float32))
    assert own.dtype == np.float32
    assert own.tolist() == [[-2.0, 0.5, 5.0], [2.0, 0.0, 5.0]]


def test_scaled_is_the_inverse_and_a_fixed_dimension_is_zero() -> None:
    own = BOUNDS.unscaled(np.array([0.25, -0.5, 0.7]))
    assert BOUNDS.scaled(own).tolist() == [0.25, -0.5, 0.0]


def test_actions_of_whole_numbers_are_rounded_so_that_each_is_reached_and_kept() -> None:
    bounds = Bounds(gym.spaces.Box(np.array([-2, 0]), np.array([2, 5]), dtype=np.int32))
    own = bounds.unscaled(np.array([[0.99, 0.99], [-0.99, -0.99], [0.3, -0.1]]))
    assert own.dtype == np.int32
    assert own.tolist() == [[2, 5], [-2, 0], [1, 2]]
    for whole in ([-2, 0], [-1, 1], [0, 2], [1, 3], [2, 4], [2, 5]):
        assert bounds.unscaled(bounds.scaled(whole)).tolist() == whole
