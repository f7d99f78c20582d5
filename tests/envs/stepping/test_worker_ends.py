"""However it ends, a worker process leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from envs.stepping.vector import MultiTaskVectorEnv
from tests.envs.failing import failing, walks
from tests.envs.stepping.watching import SEED, children, closed_within, play, runs

pytestmark = pytest.mark.usefixtures("nothing_stays")


ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("how", ["raise", "hang", "deaf", "locked", "os._exit"])
def test_close_returns_whatever_environments_do_in_it(how: str, tmp_path: Path) -> None:
    env = MultiTaskVectorEnv(walks(failing(how, "close", "xx", tmp_path)), 2, workers=2)
    play(env, 1)
    assert closed_within(env, 10)


def test_workers_ignore_the_signals_that_stop_a_run() -> None:
    env = MultiTaskVectorEnv(walks(), 1, workers=2)
    env.reset(seed=SEED)
    for child in children():
        for number in (signal.SIGINT, signal.SIGTERM):
            child.send_signal(number)
    assert "lost" not in env.step(np.zeros((2, 2), dtype=np.float32))[4]
    assert closed_within(env, 10)


PARENT = """
    import sys, time
    from pathlib import Path
    import numpy as np, psutil
    from envs.stepping.vector import MultiTaskVectorEnv
    from tests.envs.failing import failing, walks

    def main(how, folder):
        env = MultiTaskVectorEnv(walks(failing(how, "step", "x", Path(folder))), 1, workers=1)
        env.reset(seed=0)
        if how == "raise":
            return env  # neither closed nor released
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
