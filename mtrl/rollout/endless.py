"""Detect episodes that never end, which could not be scored, and report them instead of waiting forever."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from envs.errors import SuiteError, warn
from mtrl.training.schedule import Counts

# No known suite comes near: Atari's longest episodes have 27,000 steps, an hour and a half of play.
MAX_STEPS = 100_000  # of an episode
MAX_SECONDS = 2 * 3600.0  # without the end of any episode that is still to be scored
LONG_EPISODE = 10_000  # steps of a training episode that cause a warning
CHECK_EVERY = 500  # steps
MAX_ELAPSED = 60.0  # seconds counted per step at most, so that a suspended process does not count as slow
WAY_OUT = "give the task max_episode_steps, as in Task(..., max_episode_steps=1000)"


class EpisodeLimit:
    """Ends an evaluation that would never end; called at each of its steps."""

    def __init__(self, names: Sequence[str], lengths: Callable[[], np.ndarray]) -> None:
        """``lengths`` gives the steps of the running episodes, (T, N) int."""
        self._names, self._lengths = names, lengths
        self._steps, self._seconds, self._last, self._missing = 0, 0.0, time.monotonic(), -1

    def __call__(self, missing: Callable[[], np.ndarray], count: int) -> None:
        """Raise ``SuiteError``, naming task and limit, if an episode that is still to be scored exceeds it.

        ``missing`` gives the copies that still have episodes to finish, (T, N) bool, and ``count`` is the number of
        these episodes.
        """
        now = time.monotonic()
        self._seconds, self._last = self._seconds + min(now - self._last, MAX_ELAPSED), now
        if count != self._missing:
            self._missing, self._seconds = count, 0.0
        self._steps += 1
        late = self._seconds > MAX_SECONDS
        if not late and self._steps % CHECK_EVERY:
            return
        lengths = np.where(missing(), self._lengths(), -1)
        longest = int(lengths.max())
        if not late and longest < MAX_STEPS:
            return
        name = self._names[int(lengths.max(axis=1).argmax())]
        limit = f"{MAX_SECONDS / 3600:g} hours without the end of an episode" if late else f"{MAX_STEPS:,} steps"
        raise SuiteError(
            f"task {name!r}: an evaluation waits no longer than {limit}, and an episode has taken {longest:,} steps "
            f"without being terminated or truncated; {WAY_OUT}"
        )


class LongEpisodes:
    """A callback that warns once of an unusually long training episode."""

    def __init__(self, names: Sequence[str], lengths: Callable[[], np.ndarray]) -> None:
        """``lengths`` gives the steps of the running episodes, (T, N) int."""
        self._names, self._lengths, self._warned = names, lengths, False

    def __call__(self, now: Counts) -> None:
        """Check the running episodes."""
        if self._warned or now.span.step < LONG_EPISODE:  # no episode can be longer than the run
            return
        lengths = self._lengths().max(axis=1)
        if lengths.max() >= LONG_EPISODE:
            self._warned = True
            warn(
                f"task {self._names[int(lengths.argmax())]!r}: an episode has {int(lengths.max()):,} steps and has not "
                f"ended; evaluations give up at {MAX_STEPS:,}, so if it has no end, {WAY_OUT}"
            )
