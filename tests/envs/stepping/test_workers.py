"""Worker processes: the same results for any number of them, and the cases in which there are none."""

from __future__ import annotations

import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from envs.errors import SuiteError
from envs.registry import make_suite
from envs.stepping.vector import MultiTaskVectorEnv
from envs.stepping.workers import WorkerCopies
from envs.suite import Task, TaskSuite
from tests.envs.failing import LooksAround, OddAfter, Walk, walks
from tests.envs.stepping.watching import SEED, assert_equal, children, closed_within, play

pytestmark = pytest.mark.usefixtures("nothing_stays")


@pytest.mark.parametrize("workers", [1, 2, 3, 50])
def test_the_numbers_do_not_depend_on_the_number_of_workers(workers: int) -> None:
    """Over several episodes of tasks with different lengths, and with more workers than rows."""
    mixed = [*make_suite("tabletop").only(["push"]).tasks, *walks().tasks]
    suite = TaskSuite("mixed", mixed)
    here, there = MultiTaskVectorEnv(suite, 2), MultiTaskVectorEnv(suite, 2, workers=workers)
    assert there.engine.workers == min(workers, 6)
    assert len(children()) == min(workers, 6)
    assert np.array_equal(here.action_mask, there.action_mask)
    assert (here.engine.obs_size, here.engine.action_size) == (there.engine.obs_size, there.engine.action_size)
    assert_equal(play(there, 30), play(here, 30))
    assert closed_within(there, 10)
    assert closed_within(there, 1)  # again


def test_many_rows_may_take_longer_together_than_one_call_may() -> None:
    suite = TaskSuite("slow", [Task(name, partial(Walk, 5, 0.4), "Walk slowly.") for name in "abcd"])
    env = MultiTaskVectorEnv(suite, 1, workers=1, timeout=1.0)
    assert not play(env, 1)[1]["lost"].any()
    env.close()


def test_a_broken_contract_raises_in_a_worker_as_it_does_here(tmp_path: Path) -> None:
    suite = walks(Task("odd", OddAfter, "Be odd."))
    messages = []
    for workers in (0, 2):
        env = MultiTaskVectorEnv(suite, 1, workers=workers, restart_failed=True)
        with pytest.raises(SuiteError, match="task 'odd': .*nan at index 0") as caught:
            play(env, 5)
        messages.append(str(caught.value))
        env.close()
    assert messages[0] == messages[1]


def test_an_abandoned_answer_is_not_taken_for_the_next() -> None:
    """As after Ctrl-C while waiting."""
    env = MultiTaskVectorEnv(walks(), 1, workers=1)
    env.reset(seed=SEED)
    env.engine._processes[0].ask("step", np.ones((2, 2), dtype=np.float32))
    assert_equal(play(env, 3), play(MultiTaskVectorEnv(walks(), 1), 3))
    env.close()


@pytest.mark.parametrize(
    ("make", "why"),
    [(lambda: Walk(), "PicklingError|AttributeError"), (partial(Walk, threading.Lock()), "TypeError")],
    ids=["lambda", "lock"],
)
def test_a_task_that_does_not_pickle_is_reported_and_all_are_stepped_here(
    make: Any, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    env = MultiTaskVectorEnv(TaskSuite("s", [Task("fine", Walk, "Walk."), Task("stays", make, "Walk.")]), 1, workers=2)
    assert env.workers == 0
    assert children() == []
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("warning: task 'stays' does not pickle (")
    assert line.endswith("stepped in this process, without workers")
    env.close()


def test_a_task_that_only_its_own_process_can_make_is_stepped_here(capfd: pytest.CaptureFixture[str]) -> None:
    """Its module is in no file that a worker could import."""
    module = type(sys)("only_in_memory")
    exec("from tests.envs.failing import Walk\ndef make(): return Walk()", module.__dict__)
    module.make.__module__ = "only_in_memory"
    sys.modules["only_in_memory"] = module
    try:
        env = MultiTaskVectorEnv(walks(Task("mine", module.make, "Walk.")), 1, workers=2)
        assert env.workers == 0
        (line,) = capfd.readouterr().err.splitlines()
        assert "task 'mine', copy 0: ModuleNotFoundError" in line
        env.close()
    finally:
        del sys.modules["only_in_memory"]


def test_a_task_that_is_broken_everywhere_is_an_error_without_a_warning(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SuiteError, match="task 'broken': making its environment failed"):
        MultiTaskVectorEnv(walks(Task("broken", partial(Walk, no_such=1), "Walk.")), 1, workers=2)
    assert capfd.readouterr().err == ""


def test_an_id_that_only_the_parent_registered_is_known_to_workers() -> None:
    gym.register("WorkersOnly-v0", "tests.envs.failing:Walk")
    try:
        task = Task("registered", partial(gym.make, "WorkersOnly-v0", disable_env_checker=True), "Walk.")
        env = MultiTaskVectorEnv(TaskSuite("s", [task]), 1, workers=1)
        assert env.workers == 1
        env.close()
    finally:
        del gym.registry["WorkersOnly-v0"]


def test_a_worker_is_another_process_and_imports_no_torch() -> None:
    import torch

    assert torch.get_num_threads() > 0
    env = MultiTaskVectorEnv(TaskSuite("s", [Task("looks", LooksAround, "Look.")]), 2, workers=2)
    obs, _ = env.reset(seed=SEED)
    assert obs[:, 0].tolist() == [0.0, 0.0]
    assert set(obs[:, 1]) == {np.float32(child.pid) for child in children()}
    env.close()


def test_pictures_are_drawn_without_workers() -> None:
    tabletop = make_suite("tabletop").only(["reach"])
    suite = TaskSuite("drawn", tabletop.tasks)
    env = MultiTaskVectorEnv(suite, 1, workers=2, render_mode="rgb_array")
    env.reset(seed=SEED)
    assert env.render()[0].shape == (256, 256, 3)
    assert children() == []
    copies = WorkerCopies(suite.tasks, 1, 1)
    with pytest.raises(SuiteError, match="cannot render"):
        copies.render([0])
    copies.close()


def test_a_simulator_needs_no_workers() -> None:
    env = MultiTaskVectorEnv(make_suite("tabletop"), 1, workers=2)
    assert env.workers == 0
    assert children() == []


def test_a_negative_number_of_workers_is_refused() -> None:
    with pytest.raises(SuiteError, match="workers is -1; it must be at least 0"):
        MultiTaskVectorEnv(walks(), 1, workers=-1)
