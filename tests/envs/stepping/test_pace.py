"""How many processes are to step environments: worked out by hand, and never more than it is worth."""

from __future__ import annotations

from functools import partial

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
        (10, 1e-3, 16, 5),  # 10 ms here; 2 + 1 ms with 5, 3 of which have no less to do with 4 or 6 to 9
        (3, 1.0, 16, 3),  # never more than rows
        (40, 1.0, 1, 0),  # one processor: nothing to gain
        (1, 1.0, 16, 0),
    ],
)
def test_the_number_of_workers_follows_from_rows_and_the_time_of_a_step(
    rows: int, seconds: float, processors: int, workers: int
) -> None:
    assert best_workers(rows, seconds, processors) == workers


def test_a_step_is_timed_within_bounds() -> None:
    tasks = [Task(name, partial(Walk, 5, 0.02), "Walk.") for name in "abc"]
    assert 0.02 <= step_seconds(tasks) < 2.0


def test_nothing_is_measured_where_there_is_nothing_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "step_seconds", lambda _: pytest.fail("it was measured"))
    assert suggest_workers(make_suite("tabletop"), 4, 16) == 0
    assert suggest_workers(walks(), 4, 1) == 0


def test_what_is_slow_gets_workers_and_what_is_quick_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "step_seconds", lambda _: 1e-2)
    assert suggest_workers(walks(), 4, 2) == 2
    monkeypatch.setattr(pace, "step_seconds", lambda _: 1e-6)
    assert suggest_workers(walks(), 4, 2) == 0


def test_an_environment_that_raises_while_it_is_measured_is_left_to_the_run(tmp_path: pytest.TempPathFactory) -> None:
    suite = TaskSuite("s", [failing("raise", "reset", "x", tmp_path)])  # type: ignore[arg-type]
    assert suggest_workers(suite, 4, 16) == 0
