"""A task of Stable-Baselines3's whose process dies, hangs or raises is named in one line; finished ones are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mtrl import evaluate, train
from tests.envs.stepping.test_workers import children
from tests.mtrl.conftest import Said, weights

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


def test_learning_takes_as_long_as_it_takes(call: Callable[..., Said], plug_in: Callable[..., str]) -> None:
    """The limit is that of one call of an environment: here an update alone takes longer."""
    name = plug_in(PLUG_IN + "\n    calm = TaskSuite('walks', [Task('calm', Walk, 'Walk.')])\n", "my_bad")
    flags = ["--env-timeout", "0.02", "--updates-per-step", "50", "--steps-per-task", "20"]
    said = call(train.main, "--suite", f"{name}:calm", *FLAGS, *flags)
    assert said.code == 0, said
