"""Episodes without end: no score can be taken of them, so they are noticed, named, and not waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from envs.errors import SuiteError, warn
from mtrl.training.schedule import Counts

# No suite that we know of comes near: Atari's longest episodes have 27,000 steps, an hour and a half of play.
MOST_STEPS = 100_000  # of an episode
MOST_SECONDS = 2 * 3600.0  # in which none of the episodes that are still to be scored ends
LONG = 10_000  # steps of an episode in training, at which its user hears of it
LOOK_EVERY = 500  # steps between looks
NAP = 60.0  # seconds between two looks at the clock that count at most: a process that was put to sleep is not slow
WAY_OUT = "give the task max_episode_steps, as in Task(..., max_episode_steps=1000)"


class EpisodeLimit:
    """Ends an evaluation that would never end: called once a step of it."""

    def __init__(self, names: Sequence[str], lengths: Callable[[], np.ndarray]) -> None:
        """``lengths`` gives the steps of the running episodes, (T, N) int."""
        self._names, self._lengths = names, lengths
        self._steps, self._seconds, self._last, self._missing = 0, 0.0, time.monotonic(), -1

    def __call__(self, missing: Callable[[], np.ndarray], count: int) -> None:
        """Raise ``SuiteError``, naming task and limit, where an episode that is still to be scored is past it.

        ``missing`` gives the copies that still have to finish episodes, (T, N) bool, and ``count`` is how many episodes
        that are in all.
        """
        now = time.monotonic()
        self._seconds, self._last = self._seconds + min(now - self._last, NAP), now
        if count != self._missing:
            self._missing, self._seconds = count, 0.0
        self._steps += 1
        late = self._seconds > MOST_SECONDS
        if not late and self._steps % LOOK_EVERY:
            return
        lengths = np.where(missing(), self._lengths(), -1)
        longest = int(lengths.max())
        if not late and longest < MOST_STEPS:
            return
        name = self._names[int(lengths.max(axis=1).argmax())]
        limit = f"{MOST_SECONDS / 3600:g} hours without an episode's end" if late else f"{MOST_STEPS:,} steps"
        raise SuiteError(
            f"task {name!r}: an evaluation waits no longer than {limit}, and an episode has {longest:,} steps "
            f"and neither terminated nor was truncated; {WAY_OUT}"
        )


class LongEpisodes:
    """A callback that warns, once, of the first episode in training that is longer than episodes are."""

    def __init__(self, names: Sequence[str], lengths: Callable[[], np.ndarray]) -> None:
        """``lengths`` gives the steps of the running episodes, (T, N) int."""
        self._names, self._lengths, self._said = names, lengths, False

    def __call__(self, now: Counts) -> None:
        """Look whether there is one."""
        if self._said or now.span.step < LONG:  # no episode can be longer than the run
            return
        lengths = self._lengths().max(axis=1)
        if lengths.max() >= LONG:
            self._said = True
            warn(
                f"task {self._names[int(lengths.argmax())]!r}: an episode has {int(lengths.max()):,} steps and has not "
                f"ended; evaluations give up at {MOST_STEPS:,}, so if it has no end, {WAY_OUT}"
            )
