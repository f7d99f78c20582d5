"""Scaling of actions between [-1, 1], as agents see them, and an environment's own bounds."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class Bounds:
    """The bounds of a flat ``Box`` action, (A,)."""

    def __init__(self, space: gym.spaces.Box) -> None:
        self.size, self.dtype = space.shape[0], space.dtype
        self.whole = self.dtype.kind in "iu"  # whole numbers, to which actions are rounded
        self.low, self.high = space.low.astype(np.float64), space.high.astype(np.float64)
        self._half_range = (self.high - self.low) / 2.0

    def unscaled(self, action: np.ndarray) -> np.ndarray:
        """Scale actions (..., A) in [-1, 1], or clipped to it, to the environment's bounds and dtype."""
        own = self.low + self._half_range * (1.0 + np.clip(action, -1.0, 1.0))
        own = np.clip(own, self.low, self.high)  # rounding may exceed them slightly
        return (np.rint(own) if self.whole else own).astype(self.dtype)

    def scaled(self, action: Any) -> np.ndarray:
        """Scale actions (..., A) within the environment's bounds to float32 in [-1, 1]; a fixed number becomes 0."""
        offset = np.asarray(action, dtype=np.float64) - self.low - self._half_range
        unit = np.divide(offset, self._half_range, out=np.zeros_like(offset), where=self._half_range > 0)
        return unit.astype(np.float32)
