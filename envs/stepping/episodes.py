"""Statistics of running episodes, kept in one place, where episodes end."""

from __future__ import annotations

from typing import Any

import array_api_compat.numpy as array_numpy
import numpy as np
from array_api_compat import array_namespace, device

from envs.stepping.engine import Array


class EpisodeStatistics:
    """Return, length and success of the running episode of each of n rows, in the engine's own kind of arrays.

    Success is the largest reported so far, NaN until a task reports any: some environments do so at some steps only.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._xp: Any = array_numpy
        self._returns: Array
        self._lengths: Array
        self._success: Array
        self.reset()

    @property
    def lengths(self) -> np.ndarray:
        """Steps of every running episode, (n,) int, on the host."""
        return np.asarray(self._lengths.tolist(), dtype=np.int64)

    def reset(self) -> None:
        """Start new episodes in all rows."""
        n = self._rows
        self.load_state_dict(
            {"returns": np.zeros(n), "lengths": np.zeros(n, dtype=np.int64), "success": np.full(n, np.nan)}
        )

    def step(self, reward: Array, success: Array) -> dict[str, Array]:
        """Add a step of every row, (n,) each; return ``r``, ``l`` and ``success_any`` so far, this step included.

        ``r`` and ``l`` are Gymnasium's names for an episode's return and length.
        """
        xp = self._namespace_of(reward)
        self._returns, self._lengths = self._returns + reward, self._lengths + 1
        first = xp.isnan(self._success)
        self._success = xp.where(first | (success > self._success), success, self._success)
        return {"r": self._returns, "l": self._lengths, "success_any": self._success}

    def restart(self, ended: Array) -> None:
        """Start new episodes where one ended, (n,) bool."""
        xp = self._xp
        self._returns = xp.where(ended, 0.0, self._returns)
        self._lengths = xp.where(ended, 0, self._lengths)
        self._success = xp.where(ended, xp.nan, self._success)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return the running episodes as NumPy arrays."""
        arrays = {"returns": self._returns, "lengths": self._lengths, "success": self._success}
        return {name: np.asarray(array.tolist()) for name, array in arrays.items()}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Continue from what ``state_dict`` returned."""
        self._xp = array_numpy
        self._returns, self._lengths, self._success = (state[name] for name in ("returns", "lengths", "success"))

    def _namespace_of(self, array: Array) -> Any:
        """Return the namespace of a step's arrays, and convert statistics that came from a state to it."""
        if type(array) is not type(self._returns):
            self._xp = array_namespace(array)
            self._returns, self._lengths, self._success = (
                self._xp.asarray(own, device=device(array)) for own in (self._returns, self._lengths, self._success)
            )
        return self._xp
