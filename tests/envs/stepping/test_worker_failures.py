"""Every way to fail in a worker process is reported, survived and counted."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from envs.errors import SuiteError, TaskFailed
from envs.stepping.vector import MultiTaskVectorEnv, episode_seed
from envs.suite import Task, TaskSuite
from tests.envs.failing import WAYS, Walk, failing, walks
from tests.envs.stepping.watching import SEED, assert_equal, children, closed_within, play, runs

pytestmark = pytest.mark.usefixtures("nothing_stays")


SURVIVABLE = {
    "raise": r"step\(\) failed: RuntimeError: out of order",
    "sys.exit": r"step\(\) failed: SystemExit: 3",
    "os._exit": "its worker process ended with exit code 4 in step",
    "killed": "its worker process was killed by SIGKILL in step",
    "segfault": "its worker process was killed by SIGSEGV in step",
    "hang": "its worker process did not respond for 1 s in step and was killed",
    "deaf": "its worker process did not respond for 1 s in step and was killed",
    "locked": "its worker process did not respond for 1 s in step and was killed",
    "brood": "its worker process did not respond for 1 s in step and was killed",
    "fork": "its worker process ended with exit code 5 in step",
}


@pytest.mark.parametrize("how", SURVIVABLE)
def test_a_failing_step_is_reported_and_loses_its_episode_and_no_other(
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
    # The next episode after the lost one follows, from its first observation on.
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
def test_a_process_that_dies_while_it_makes_its_environments_is_restarted(
    how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    env = MultiTaskVectorEnv(walks(failing(how, "make", "x", tmp_path)), 1, workers=1, timeout=1.0)
    seen = play(env, 3)
    assert not any(step["lost"].any() for step in seen[1:])
    assert "task 'bad', copy 0: its worker process" in capfd.readouterr().err
    assert closed_within(env, 10)


def test_a_process_killed_between_steps_is_reported_with_its_rows(capfd: pytest.CaptureFixture[str]) -> None:
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


def test_a_stopped_process_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
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
    grandchildren = process.children()
    grandchildren[0].terminate()  # as an environment's close() may do: unlike the worker, it does not ignore signals
    begin = time.monotonic()
    while runs(grandchildren[0]):
        assert time.monotonic() - begin < 10
        time.sleep(0.01)
    process.send_signal(signal.SIGSTOP)
    assert closed_within(env, 10)


@pytest.mark.parametrize(("how", "workers"), [("raise", 0), ("raise", 2), ("killed", 2)])
def test_the_third_failure_in_a_row_ends_it(
    how: str, workers: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    env = MultiTaskVectorEnv(walks(failing(how, "step", "xxx", tmp_path)), 1, workers=workers, restart_failed=True)
    with pytest.raises(TaskFailed, match=r"task 'bad', copy 0: .*3 failures in a row.*leave out the task") as caught:
        play(env, 20)
    assert "\n" not in str(caught.value)
    assert len(capfd.readouterr().err.splitlines()) == 2
    assert closed_within(env, 10)


def test_a_process_that_always_dies_ends_it_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(TaskFailed, match="task 'bad', copy 0: .*exit code 4 while the environment was made"):
        MultiTaskVectorEnv(walks(failing("os._exit", "make", "x" * 9, tmp_path)), 1, workers=2)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_episode_that_ends_resets_the_count_of_failures(workers: int, tmp_path: Path) -> None:
    """Every second episode fails: 9 failures, never two in a row."""
    env = MultiTaskVectorEnv(
        walks(failing("raise", "step", "x." * 9, tmp_path)), 1, workers=workers, restart_failed=True
    )
    seen = play(env, 80)
    assert sum(int(step["lost"][2]) for step in seen[1:]) == 9
    env.close()


def test_failures_in_this_process_are_survived_only_on_request(tmp_path: Path) -> None:
    suite = walks(failing("raise", "step", "x", tmp_path))
    with pytest.raises(SuiteError, match=r"task 'bad': step\(\) failed: RuntimeError: out of order"):
        play(MultiTaskVectorEnv(suite, 1), 5)
    (tmp_path / "tries").unlink()
    env = MultiTaskVectorEnv(suite, 1, restart_failed=True)
    before = [row.env for row in env.engine._rows]
    seen = play(env, 5)
    assert [row.env is old for row, old in zip(env.engine._rows, before, strict=True)] == [True, True, False]
    assert [np.flatnonzero(step["lost"]).tolist() for step in seen[1:]] == [[], [2], [], [], []]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_fixed_start_that_was_lost_is_played_again(workers: int, tmp_path: Path) -> None:
    """Four starts, one copy: the second episode fails, and start 1 follows once more; without starts it is the next."""
    task = failing("raise", "step", ".x", tmp_path, length=3)
    fixed = TaskSuite("fixed", [Task("bad", task.make, "Fail.", starts=4)])
    env = MultiTaskVectorEnv(fixed, 1, workers=workers, restart_failed=True)
    firsts = [env.reset(seed=SEED, options={"each_start": True})[0][0, 0]]
    for _ in range(11):
        obs, _, _, truncated, _ = env.step(np.zeros((1, 2), dtype=np.float32))
        if truncated[0]:
            firsts.append(obs[0, 0])
    starts = [np.float32(Walk().reset(seed=k)[0][0]) for k in range(4)]
    assert firsts == [starts[k] for k in (0, 1, 1, 2, 3)]
    env.close()
