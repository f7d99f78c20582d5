"""Several engines side by side in one suite, each stepping its own tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from envs.stepping.engine import AheadEngine, Engine, Step
from envs.suite import Task

MakeEngine = Callable[[Sequence[Task], int], Engine]


class Part(NamedTuple):
    """One of the engines, and the rows that it steps, (k,) int; ``ahead`` is the engine if it works ahead."""

    engine: Engine
    rows: np.ndarray
    ahead: AheadEngine | None


class MixedEngine:
    """An ``Engine`` that combines others, in NumPy; rows are ordered task by task, whatever engine a task has.

    ``engine_of`` maps a task's name to its engine's, and ``makers`` make each engine from its tasks and ``copies``.
    Engines that can work ahead (``AheadEngine``) do so while the others step.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        copies: int,
        xp: Any = None,
        device: Any = None,
        *,
        engine_of: Mapping[str, str],
        makers: Mapping[str, MakeEngine],
    ) -> None:
        self._parts: list[Part] = []
        self._rows = len(tasks) * copies
        for name, make in makers.items():
            own = [k for k, task in enumerate(tasks) if engine_of[task.name] == name]
            if own:
                rows = (np.array(own)[:, None] * copies + np.arange(copies)).ravel()
                engine = make([tasks[k] for k in own], copies)
                self._parts.append(Part(engine, rows, engine if isinstance(engine, AheadEngine) else None))
        self.obs_size = max(part.engine.obs_size for part in self._parts)
        self.action_size = max(part.engine.action_size for part in self._parts)
        self.action_mask = np.zeros((len(tasks), self.action_size), dtype=bool)
        for engine, rows, _ in self._parts:
            self.action_mask[rows[::copies] // copies, : engine.action_size] = engine.action_mask

    def reset(self, rows: np.ndarray, seeds: Sequence[int | None]) -> np.ndarray:
        """Begin an episode on each of ``rows``; see ``Engine.reset``."""
        obs = np.zeros((len(rows), self.obs_size), dtype=np.float32)
        for engine, mine, _ in self._parts:
            positions = np.flatnonzero(np.isin(rows, mine))
            if len(positions):
                own = np.searchsorted(mine, rows[positions])
                obs[positions, : engine.obs_size] = engine.reset(own, [seeds[int(k)] for k in positions])
        return obs

    def step(self, action: Any) -> Step:
        """Step every row; see ``Engine.step``."""
        on_host = np.asarray(action.cpu() if hasattr(action, "cpu") else action)
        for engine, rows, ahead in self._parts:
            if ahead is not None:
                ahead.send(on_host[rows, : engine.action_size])
        result, lost = Step.blank(self._rows, self.obs_size), []
        try:
            for part in self._parts:
                if part.ahead is None:
                    lost += _fill(result, part, part.engine.step(on_host[part.rows, : part.engine.action_size]))
        finally:  # even if an environment raises: each engine that was sent actions must be read
            for part in self._parts:
                if part.ahead is not None:
                    lost += _fill(result, part, part.ahead.receive())
        return result._replace(lost=sorted(lost))

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Draw each of ``rows`` with its own engine."""
        pictures = []
        for row in rows:
            (part,) = (part for part in self._parts if row in part.rows)
            pictures += part.engine.render([int(np.searchsorted(part.rows, row))])
        return pictures

    def close(self) -> None:
        """Close the engines."""
        for part in self._parts:
            part.engine.close()


def _fill(result: Step, part: Part, own: Step) -> list[int]:
    """Write a part's step into the result; return its lost rows, numbered as in the result."""
    result.obs[part.rows, : part.engine.obs_size] = own.obs
    for target, value in zip(result[1:5], own[1:5], strict=True):
        target[part.rows] = value
    return [int(part.rows[row]) for row in own.lost]
