"""How often an environment may fail: each failure is reported in one line, the third in a row ends the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from envs.errors import TaskFailed, warn
from envs.stepping.copies import GymCopies
from envs.stepping.engine import Step
from envs.suite import Task

MAX_IN_A_ROW = 3
RESTARTED = "it is restarted, its current episode is dropped"


class Failures:
    """Counts each row's failures since its last finished episode."""

    def __init__(self, tasks: Sequence[Task], copies: int) -> None:
        self.names = [f"task {task.name!r}, copy {copy}" for task in tasks for copy in range(copies)]
        self._in_a_row = np.zeros(len(self.names), dtype=np.int64)

    def note(self, rows: Sequence[int] | np.ndarray, message: str, remedy: str = RESTARTED) -> None:
        """Count a failure against ``rows``; warn of it and of its ``remedy`` on stderr.

        Raises ``TaskFailed`` if it is the third in a row for one of them.
        """
        self._in_a_row[rows] += 1
        if self._in_a_row[rows].max() >= MAX_IN_A_ROW:
            raise TaskFailed(
                f"{message}; that makes {MAX_IN_A_ROW} failures in a row without a finished episode, so the run stops; "
                "fix the environment, or leave out the task"
            )
        warn(f"{message}; {remedy}")

    def note_one(self, row: int, message: str) -> None:
        """Count a failure of ``row``, whose environment is restarted."""
        self.note([row], f"{self.names[row]}: {message}")

    def after(self, step: Step) -> None:
        """Reset the counts of rows whose episode finished in ``step``."""
        ended = step.terminated | step.truncated
        ended[list(step.lost)] = False
        self._in_a_row[ended] = 0


class RestartingCopies(GymCopies):
    """``GymCopies`` that survive exceptions: the row is ``lost`` and its environment restarted."""

    def __init__(self, tasks: Sequence[Task], copies: int, on_call: Callable[[int, str], None] | None = None) -> None:
        self._failures = Failures(tasks, copies)
        super().__init__(tasks, copies, failed=self._failures.note_one, on_call=on_call)

    def step(self, action: np.ndarray) -> Step:
        """Step every row; see ``Engine.step``."""
        step = super().step(action)
        self._failures.after(step)
        return step
