"""How many processes should step environments: worked out by hand, and never more than they are worth."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from envs.registry import make_suite
from envs.stepping import pace
from envs.stepping.pace import best_workers, step_seconds, suggest_workers
from envs.suite import Task, TaskSuite
from tests.envs.failing import Walk, failing, walks


@pytest.mark.parametrize(
    ("rows", "seconds", "processors", "workers"),
    [
        (40, 10e-6, 16, 0),  # .4 ms here, and two processes alone cost .4 ms
        (40, 100e-6, 2, 2),  # 4 ms here, 2 + .4 ms there
        (10, 100e-6, 2, 0),  # 1 ms here, .5 + .4 ms there: not worth it
        (10, 1e-3, 16, 5),  # 10 ms here; 2 + 1 ms with 5, and with 4 or 6 to 9 some still have 2 rows or more
        (3, 1.0, 16, 3),  # never more than rows
        (40, 1.0, 1, 0),  # one processor: nothing to gain
        (1, 1.0, 16, 0),
    ],
)
def test_the_number_of_workers_follows_from_rows_and_the_time_of_a_step(
    rows: int, seconds: float, processors: int, workers: int
) -> None:
    assert best_workers(rows, seconds, processors) == workers


class Timed(Walk):
    """Advances ``clock`` by ``seconds`` per step, the first step of an episode by three times as much."""

    def __init__(self, clock: list[float], seconds: float) -> None:
        super().__init__(5)
        self.clock, self.seconds = clock, seconds

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.clock[0] += self.seconds * (3 if self.count == 0 else 1)
        return super().step(action)


def test_a_step_takes_the_mean_of_the_tasks_medians_within_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """7/128 s of a and 7/64 s of b, then three steps of c exceed .3 s; d is not measured."""
    clock = [0.0]
    monkeypatch.setattr(pace, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    seconds = {"a": 1 / 128, "b": 1 / 64, "c": 1 / 32, "d": 1.0}
    tasks = [Task(name, partial(Timed, clock, own), "Walk.") for name, own in seconds.items()]
    assert step_seconds(tasks) == (1 / 128 + 1 / 64 + 1 / 32) / 3
    assert clock == [7 / 128 + 7 / 64 + 5 / 32]


def test_nothing_is_measured_if_there_is_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "step_seconds", lambda _: pytest.fail("it was measured"))
    assert suggest_workers(make_suite("tabletop"), 4, 16) == 0
    assert suggest_workers(walks(), 4, 1) == 0


def test_slow_environments_get_workers_and_fast_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "step_seconds", lambda _: 1e-2)
    assert suggest_workers(walks(), 4, 2) == 2
    monkeypatch.setattr(pace, "step_seconds", lambda _: 1e-6)
    assert suggest_workers(walks(), 4, 2) == 0


def test_an_environment_that_raises_while_it_is_timed_is_left_to_the_run(tmp_path: pytest.TempPathFactory) -> None:
    suite = TaskSuite("s", [failing("raise", "reset", "x", tmp_path)])  # type: ignore[arg-type]
    assert suggest_workers(suite, 4, 16) == 0
