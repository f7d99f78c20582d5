"""Worker processes: the same numbers, and every way to fail is named, survived, counted, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import psutil
import pytest

from envs.errors import SuiteError, TaskFailed
from envs.suite import Task, TaskSuite, make_suite
from envs.vector import MultiTaskVectorEnv, episode_seed
from envs.workers import WorkerCopies
from tests.envs.failing import WAYS, LooksAround, OddAfter, Walk, failing, walks

SEED = 3
ROOT = Path(__file__).parents[2]
SURVIVABLE = {
    "raise": r"step\(\) failed: RuntimeError: out of order",
    "sys.exit": r"step\(\) failed: SystemExit: 3",
    "os._exit": "its worker process ended with exit code 4 in step",
    "killed": "its worker process was killed by SIGKILL in step",
    "segfault": "its worker process was killed by SIGSEGV in step",
    "hang": "its worker process gave no answer for 1 s in step and was killed",
    "deaf": "its worker process gave no answer for 1 s in step and was killed",
    "locked": "its worker process gave no answer for 1 s in step and was killed",
    "brood": "its worker process gave no answer for 1 s in step and was killed",
    "fork": "its worker process ended with exit code 5 in step",
}


def children() -> list[psutil.Process]:
    """What runs below this process, but for Python's own resource tracker, which stays as long as it does."""
    return [child for child in psutil.Process().children(recursive=True) if runs(child)]


def runs(process: psutil.Process) -> bool:
    """Whether it is there, not dead already, and no resource tracker."""
    try:
        return not any("resource_tracker" in word for word in process.cmdline())
    except psutil.NoSuchProcess:  # of which a zombie is one
        return False


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    assert children() == []


def play(env: MultiTaskVectorEnv, steps: int) -> list[dict[str, Any]]:
    """Random actions from a reset -> what each step gave, ``lost`` as a mask."""
    generator = np.random.default_rng(0)
    seen = [{"obs": env.reset(seed=SEED)[0]}]
    for _ in range(steps):
        action = generator.uniform(-1.0, 1.0, (env.num_envs, env.engine.action_size)).astype(np.float32)
        names = ("obs", "reward", "terminated", "truncated", "info")
        step = dict(zip(names, env.step(action), strict=True))
        info = step.pop("info")
        step |= {name: info[name] for name in ("final_obs", "success")}
        step["lost"] = info.get("lost", np.zeros(env.num_envs, dtype=bool))
        seen.append(step)
    return seen


def assert_equal(one: list[dict[str, Any]], other: list[dict[str, Any]], rows: Any = slice(None)) -> None:
    for k, (mine, theirs) in enumerate(zip(one, other, strict=True)):
        for name in theirs:
            assert np.array_equal(mine[name][rows], theirs[name][rows], equal_nan=True), (k, name)
            assert mine[name].dtype == theirs[name].dtype, name


def closed_within(env: MultiTaskVectorEnv, seconds: float) -> bool:
    begin, below = time.monotonic(), children()
    env.close()
    in_time = time.monotonic() - begin < seconds
    return in_time and not psutil.wait_procs(below, timeout=5)[1]  # what a worker started may be nobody's child by now


@pytest.mark.parametrize("workers", [1, 2, 3, 50])
def test_the_numbers_do_not_depend_on_the_number_of_workers(workers: int) -> None:
    """Over several episodes of tasks with other lengths, and with more workers than rows."""
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


@pytest.mark.parametrize("how", SURVIVABLE)
def test_a_failing_step_is_named_and_loses_its_episode_and_no_other(
    how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Rows calm 0, calm 1, long 0 in one process, long 1, bad 0, bad 1 in the other; bad 0 fails in step 2."""
    assert set(SURVIVABLE) == set(WAYS)
    calm = play(MultiTaskVectorEnv(walks(failing(how, "step", "", tmp_path / "..")), 2), 12)
    env = MultiTaskVectorEnv(walks(failing(how, "step", "x", tmp_path)), 2, workers=2, timeout=1.0)
    seen = play(env, 12)
    assert_equal(seen, calm, slice(0, 3))
    assert_equal(seen[:2], calm[:2])
    lost = [4] if how in ("raise", "sys.exit") else [3, 4, 5]
    assert [np.flatnonzero(step["lost"]).tolist() for step in seen[1:]] == [[], lost, *[[]] * 10]
    step = seen[2]
    assert step["truncated"][lost].all()
    assert not step["terminated"][lost].any()
    assert not step["reward"][lost].any()
    assert not step["final_obs"][lost].any()
    # What comes next is the episode after the one that was lost, from its first observation on.
    start = Walk().reset(seed=episode_seed(SEED, "bad", 0, 1))[0]
    assert np.array_equal(step["obs"][4], start.astype(np.float32))
    assert np.flatnonzero(np.array([s["truncated"][4] for s in seen[1:]])).tolist() == [1, 6, 11]
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("warning: task 'bad', copy 0: ")
    assert SURVIVABLE[how].replace("\\", "") in line
    assert "dropped" in line
    assert closed_within(env, 10)


@pytest.mark.parametrize("how", ["raise", "os._exit", "killed", "hang"])
def test_a_failing_reset_loses_the_episode_before_it_begins(
    how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The second reset of bad 0, after its 5 steps: beside it, bad 1 was reset already and long 1 was under way."""
    env = MultiTaskVectorEnv(walks(failing(how, "reset", "..x", tmp_path)), 2, workers=2, timeout=1.0)
    calm = play(MultiTaskVectorEnv(walks(failing(how, "reset", "", tmp_path / "..")), 2), 12)
    seen = play(env, 12)
    assert_equal(seen, calm, slice(0, 3))
    assert_equal(seen[:5], calm[:5])
    assert not seen[5]["obs"][4].any()  # it could not begin
    lost = [4] if how == "raise" else [3, 4, 5]
    assert [np.flatnonzero(step["lost"]).tolist() for step in seen[1:]] == [*[[]] * 5, lost, *[[]] * 6]
    (line,) = capfd.readouterr().err.splitlines()
    assert "task 'bad', copy 0: " in line
    assert " reset" in line
    assert closed_within(env, 10)


@pytest.mark.parametrize("how", ["os._exit", "hang"])
def test_a_process_that_dies_while_it_makes_its_environments_is_started_again(
    how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    env = MultiTaskVectorEnv(walks(failing(how, "make", "x", tmp_path)), 1, workers=1, timeout=1.0)
    seen = play(env, 3)
    assert not any(step["lost"].any() for step in seen[1:])
    assert "task 'bad', copy 0: its worker process" in capfd.readouterr().err
    assert closed_within(env, 10)


def test_a_process_killed_between_steps_is_named_by_its_rows(capfd: pytest.CaptureFixture[str]) -> None:
    env = MultiTaskVectorEnv(walks(), 2, workers=2)
    env.reset(seed=SEED)
    actions = np.zeros((4, 2), dtype=np.float32)
    os.kill(children()[1].pid, signal.SIGKILL)
    *_, info = env.step(actions)
    assert info["lost"].tolist() == [False, False, True, True]
    assert "lost" not in env.step(actions)[4]
    (line,) = capfd.readouterr().err.splitlines()
    assert "task 'long', copy 0 to task 'long', copy 1: their worker process was killed by SIGKILL between" in line
    assert closed_within(env, 10)


def test_a_process_killed_from_outside_in_a_step_is_noticed_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    env = MultiTaskVectorEnv(walks(failing("hang", "step", "x", tmp_path)), 1, workers=1, timeout=600.0)

    def kill() -> None:
        while not (tmp_path / "tries").exists():
            time.sleep(0.01)
        children()[0].kill()

    thread = threading.Thread(target=kill)
    thread.start()
    begin = time.monotonic()
    seen = play(env, 4)
    thread.join()
    assert time.monotonic() - begin < 60
    assert [step["lost"].all() for step in seen[1:]] == [False, True, False, False]
    assert "task 'bad', copy 0: its worker process was killed by SIGKILL in step" in capfd.readouterr().err
    assert closed_within(env, 10)


def test_a_stopped_process_that_forked_and_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    env = MultiTaskVectorEnv(walks(failing("brood", "step", "x", tmp_path)), 1, workers=1, timeout=600.0)
    env.reset(seed=SEED)
    (worker,) = env.engine._processes
    worker.ask("step", np.zeros((3, 2), dtype=np.float32))
    worker.answer()
    worker.ask("step", np.zeros((3, 2), dtype=np.float32))
    while len(children()) < 3:  # the worker and two that it started
        time.sleep(0.01)
    mine = psutil.Process().children()
    (process,) = [child for child in children() if child in mine]
    started = process.children()
    started[0].terminate()  # as an environment's close() may do: it is not deaf because the worker is
    begin = time.monotonic()
    while runs(started[0]):
        assert time.monotonic() - begin < 10
        time.sleep(0.01)
    process.send_signal(signal.SIGSTOP)
    assert closed_within(env, 10)


@pytest.mark.parametrize("how", ["raise", "hang", "deaf", "locked", "os._exit"])
def test_close_returns_whatever_environments_do_in_it(how: str, tmp_path: Path) -> None:
    env = MultiTaskVectorEnv(walks(failing(how, "close", "xx", tmp_path)), 2, workers=2)
    play(env, 1)
    assert closed_within(env, 10)


def test_workers_are_deaf_to_the_signals_that_stop_a_run() -> None:
    env = MultiTaskVectorEnv(walks(), 1, workers=2)
    env.reset(seed=SEED)
    for child in children():
        for number in (signal.SIGINT, signal.SIGTERM):
            child.send_signal(number)
    assert "lost" not in env.step(np.zeros((2, 2), dtype=np.float32))[4]
    assert closed_within(env, 10)


@pytest.mark.parametrize(("how", "workers"), [("raise", 0), ("raise", 2), ("killed", 2)])
def test_the_third_failure_in_a_row_ends_it(
    how: str, workers: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    env = MultiTaskVectorEnv(walks(failing(how, "step", "xxx", tmp_path)), 1, workers=workers, patient=True)
    with pytest.raises(TaskFailed, match=r"task 'bad', copy 0: .*3 failures in a row.*leave the task out") as caught:
        play(env, 20)
    assert "\n" not in str(caught.value)
    assert len(capfd.readouterr().err.splitlines()) == 2
    assert closed_within(env, 10)


def test_a_process_that_always_dies_ends_it_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(TaskFailed, match="task 'bad', copy 0: .*exit code 4 while the environment was made"):
        MultiTaskVectorEnv(walks(failing("os._exit", "make", "x" * 9, tmp_path)), 1, workers=2)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_episode_that_ends_makes_up_for_failures_before_it(workers: int, tmp_path: Path) -> None:
    """Every second episode fails: 9 failures, never two in a row."""
    env = MultiTaskVectorEnv(walks(failing("raise", "step", "x." * 9, tmp_path)), 1, workers=workers, patient=True)
    seen = play(env, 80)
    assert sum(int(step["lost"][2]) for step in seen[1:]) == 9
    env.close()


def test_an_environment_in_this_process_is_survived_only_where_asked(tmp_path: Path) -> None:
    suite = walks(failing("raise", "step", "x", tmp_path))
    with pytest.raises(SuiteError, match=r"task 'bad': step\(\) failed: RuntimeError: out of order"):
        play(MultiTaskVectorEnv(suite, 1), 5)
    (tmp_path / "tries").unlink()
    env = MultiTaskVectorEnv(suite, 1, patient=True)
    before = [row.env for row in env.engine._rows]
    seen = play(env, 5)
    assert [row.env is old for row, old in zip(env.engine._rows, before, strict=True)] == [True, True, False]
    assert [np.flatnonzero(step["lost"]).tolist() for step in seen[1:]] == [[], [2], [], [], []]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_fixed_start_that_was_lost_is_played_again(workers: int, tmp_path: Path) -> None:
    """Four starts, one copy: the second episode fails, and start 1 follows once more; without starts it is the next."""
    task = failing("raise", "step", ".x", tmp_path, length=3)
    fixed = TaskSuite("fixed", [Task("bad", task.make, "Fail.", starts=4)])
    env = MultiTaskVectorEnv(fixed, 1, workers=workers, patient=True)
    firsts = [env.reset(seed=SEED, options={"each_start": True})[0][0, 0]]
    for _ in range(11):
        obs, _, _, truncated, _ = env.step(np.zeros((1, 2), dtype=np.float32))
        if truncated[0]:
            firsts.append(obs[0, 0])
    starts = [np.float32(Walk().reset(seed=k)[0][0]) for k in range(4)]
    assert firsts == [starts[k] for k in (0, 1, 1, 2, 3)]
    env.close()


def test_many_rows_may_take_longer_together_than_one_call_may() -> None:
    suite = TaskSuite("slow", [Task(name, partial(Walk, 5, 0.4), "Walk slowly.") for name in "abcd"])
    env = MultiTaskVectorEnv(suite, 1, workers=1, timeout=1.0)
    assert not play(env, 1)[1]["lost"].any()
    env.close()


def test_a_broken_contract_ends_it_in_a_worker_as_it_does_here(tmp_path: Path) -> None:
    suite = walks(Task("odd", OddAfter, "Be odd."))
    said = []
    for workers in (0, 2):
        env = MultiTaskVectorEnv(suite, 1, workers=workers, patient=True)
        with pytest.raises(SuiteError, match="task 'odd': .*nan at index 0") as caught:
            play(env, 5)
        said.append(str(caught.value))
        env.close()
    assert said[0] == said[1]


def test_an_answer_that_was_given_up_on_is_not_taken_for_the_next() -> None:
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
def test_a_task_that_does_not_pickle_is_named_and_all_are_stepped_here(
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


def test_a_worker_steps_elsewhere_and_does_without_torch() -> None:
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
    with pytest.raises(SuiteError, match="draw no pictures"):
        copies.render([0])
    copies.close()


def test_a_simulator_wins_over_workers() -> None:
    env = MultiTaskVectorEnv(make_suite("tabletop"), 1, workers=2)
    assert env.workers == 0
    assert children() == []


def test_a_negative_number_of_workers_is_refused() -> None:
    with pytest.raises(SuiteError, match="workers is -1; it has to be at least 0"):
        MultiTaskVectorEnv(walks(), 1, workers=-1)


PARENT = """
    import sys, time
    from pathlib import Path
    import numpy as np, psutil
    from envs.vector import MultiTaskVectorEnv
    from tests.envs.failing import failing, walks

    def main(how, folder):
        env = MultiTaskVectorEnv(walks(failing(how, "step", "x", Path(folder))), 1, workers=1)
        env.reset(seed=0)
        if how == "raise":
            return env  # neither closed nor let go of
        (worker,) = env.engine._processes
        for _ in range(2):
            worker.ask("step", np.zeros((3, 2), np.float32))
        while not Path(folder, "tries").exists():
            time.sleep(0.01)
        time.sleep(0.3)
        print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)
        time.sleep(3600)

    if __name__ == "__main__":
        kept = main(*sys.argv[1:])
"""


def parent(tmp_path: Path, how: str) -> subprocess.Popen[str]:
    (tmp_path / "parent.py").write_text(textwrap.dedent(PARENT))
    return subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py"), how, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the system's own signal at a parent's death is Linux's")
@pytest.mark.parametrize("how", ["deaf", "locked"])
def test_a_worker_in_a_long_step_is_gone_soon_after_its_parent_was_killed(how: str, tmp_path: Path) -> None:
    process = parent(tmp_path, how)
    assert process.stdout is not None
    with process, process.stdout:
        pids = [int(word) for word in process.stdout.readline().split()]
        process.kill()
    assert len(pids) == 2  # and the resource tracker
    begin = time.monotonic()
    while any(psutil.pid_exists(pid) and runs(psutil.Process(pid)) for pid in pids):
        assert time.monotonic() - begin < 5
        time.sleep(0.05)


def test_a_parent_that_ends_without_closing_does_not_hang(tmp_path: Path) -> None:
    with parent(tmp_path, "raise") as process:
        assert process.wait(timeout=60) == 0
