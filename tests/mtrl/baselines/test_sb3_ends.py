"""A task of Stable-Baselines3's whose process dies, hangs or raises is named in one line; finished ones are kept."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.stepping.heartbeat import BEAT, CALL, CALLS, Heartbeat, detach
from mtrl import evaluate, train
from mtrl.baselines import sb3_pool
from mtrl.baselines.sb3_env import SB3VecEnv
from mtrl.baselines.sb3_task import TaskModel, TaskProgress
from mtrl.config.defaults import default_config
from tests.envs.stepping.test_workers import children
from tests.mtrl.conftest import Said, Scripted, scripted_suite, weights

PLUG_IN = """
    from functools import partial
    from pathlib import Path
    from mtrl import Task, TaskSuite
    from tests.envs.failing import Failing, Walk

    def bad(how):
        return TaskSuite("walks", [
            Task("calm", Walk, "Walk."),
            Task("bad", partial(Failing, how, "step", "." * 9 + "xxx", str(Path(".").resolve() / "tries")), "Fail."),
        ])

    exits, locked, raises = (bad(how) for how in ("os._exit", "locked", "raise"))
"""
TIMEOUT, LEARNING = 0.2, 1.0  # seconds
FLAGS = (
    *("--agent", "sb3", "--steps-per-task", "60", "--random-steps", "8", "--envs-per-task", "2"),
    *("--batch-per-task", "4", "--eval-every", "60", "--eval-episodes", "3", "--log-every", "8", "--hidden", "8"),
    *("--jobs", "1", "--baseline", "none", "--runs-dir", "runs"),
)


@pytest.mark.parametrize(
    ("suite", "code", "words"),
    [
        ("exits", 1, "task 'bad': the process that trains it ended with exit code 4 in step"),
        ("locked", 1, "task 'bad': the process that trains it did not respond for 2 s in step and was killed"),
        ("raises", 2, "task 'bad': step() failed: RuntimeError: out of order"),
    ],
)
def test_how_a_task_ended_is_one_line_and_the_finished_task_is_kept(
    suite: str, code: int, words: str, call: Callable[..., Said], plug_in: Callable[..., str]
) -> None:
    name = plug_in(PLUG_IN, "my_bad")
    said = call(train.main, "--suite", f"{name}:{suite}", *FLAGS, "--env-timeout", "2")
    assert said.code == code, said
    assert said.err == f"error: {words}\n"
    run = Path("runs/walks/sb3/seed0")
    assert f"weights and metrics so far, of 1 finished tasks, are in {run}" in " ".join(said.out.split())
    assert {key.split(".")[0] for key in weights(run)} == {"task0"}
    assert not (run / "result.json").exists()
    assert children() == []
    (run / "tries").unlink(missing_ok=True)
    again = call(evaluate.main, run, "--suite", f"{name}:{suite}", "--tasks", "calm", "--episodes", "2")
    assert again.code == 0, again


def test_a_task_that_learns_for_longer_than_the_timeout_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is that of one call of an environment: a process that is idle between calls may learn for longer."""
    monkeypatch.setattr(sb3_pool, "train_task", learn_slowly)
    progress: list[TaskProgress] = []
    config = dataclasses.replace(default_config("tabletop", "sb3"), env_timeout=TIMEOUT)
    start = time.monotonic()
    models, failure = sb3_pool.train_tasks(config, None, ["reach"], 1, progress.append, lambda: False)
    assert time.monotonic() - start > LEARNING
    assert failure is None
    assert models["reach"].updates == 7
    assert [(one.task, one.step) for one in progress] == [("reach", 1)]
    assert children() == []


def test_no_environment_is_in_a_call_while_the_model_learns() -> None:
    shared = [0, 0, 0]
    env = SB3VecEnv(scripted_suite(a=partial(Scripted, (0.0,) * 3)), 2, 0, Heartbeat(shared))
    env.reset()
    assert (CALLS[shared[CALL]], shared[BEAT] > 0) == ("idle", True)
    calls = shared[BEAT]
    env.step(np.zeros((2, *(env.action_space.shape or ())), dtype=np.float32))
    assert (CALLS[shared[CALL]], shared[BEAT] > calls) == ("idle", True)


def learn_slowly(
    connection: Connection, shared: Any, parent: int, dies_with_parent: bool, config: Any, given: Any, task: str, _: Any
) -> None:
    """Take the place of ``train_task``: one call of an environment, then learning that takes longer than a call may."""
    detach(parent, dies_with_parent)
    heartbeat = Heartbeat(shared)
    heartbeat.enter(0, "step")
    heartbeat.leave()
    connection.send(TaskProgress(task, 1, 0, None, 1.0))
    time.sleep(LEARNING)
    connection.send(TaskModel({}, 7))
