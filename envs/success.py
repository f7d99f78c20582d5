"""Success for environments that do not report it: from a key of their info, or from the return."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from envs.errors import warn_once


class SuccessFromInfo(gym.Wrapper[Any, Any, Any, Any]):
    """Success is ``bool(info[key])``; an episode in which no step has the key is a failure, with a warning once."""

    def __init__(self, env: gym.Env[Any, Any], key: str) -> None:
        super().__init__(env)
        self._key, self._seen = key, False

    def reset(self, **kwargs: Any) -> Any:
        """Begin an episode."""
        self._seen = False
        return self.env.reset(**kwargs)

    def step(self, action: Any) -> Any:
        """Step, and report success if the key is present."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        if self._key in info:
            self._seen = True
            info = {**info, "success": float(bool(info[self._key]))}
        elif (terminated or truncated) and not self._seen:
            # Some environments set the key only on success. It may also be misspelt.
            warn_once(
                f"info[{self._key!r}]",
                f"in an episode, info never had the key {self._key!r}, so the episode counts as a failure; at its end "
                f"it had {sorted(map(str, info))}",
            )
            info = {**info, "success": 0.0}
        return obs, reward, terminated, truncated, info


class SuccessFromReturn(gym.Wrapper[Any, Any, Any, Any]):
    """An episode is a success if its return is at least ``threshold``, which is known only at its end."""

    def __init__(self, env: gym.Env[Any, Any], threshold: float) -> None:
        super().__init__(env)
        self._threshold, self._total = threshold, 0.0

    def reset(self, **kwargs: Any) -> Any:
        """Begin an episode."""
        self._total = 0.0
        return self.env.reset(**kwargs)

    def step(self, action: Any) -> Any:
        """Step, and report success at the end of the episode."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        self._total += float(reward)
        if terminated or truncated:
            info = {**info, "success": float(self._total >= self._threshold)}
        return obs, reward, terminated, truncated, info
