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
