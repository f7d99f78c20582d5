"""Nothing that a run started outlives it, even if the run is killed; and nothing is touched when it ends by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from mtrl.terminal.guardian import MARK, guarded

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and sessions are POSIX's")
SLEEP = "[sys.executable, '-c', 'import time; time.sleep(600)']"
KILLED = f"""
    import subprocess, sys, time
    from mtrl.terminal.guardian import guarded

    with guarded(PATIENCE):
        here = subprocess.Popen({SLEEP})
        away = subprocess.Popen(["sh", "-c", "sleep 600 & echo $!; wait"], stdout=subprocess.PIPE, text=True,
                                start_new_session=True)
        print(here.pid, away.pid, int(away.stdout.readline()), flush=True)
        time.sleep(600)
"""


def script(text: str, *arguments: str) -> subprocess.Popen[str]:
    code = textwrap.dedent(text)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, env=environment
    )


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone_within(pids: list[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while any(map(runs, pids)):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def numbers(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdout is not None
    return [int(word) for word in process.stdout.readline().split()]


@pytest.mark.parametrize("patience", ["0", "60"])
def test_children_and_theirs_in_whatever_session_end_with_a_process_that_was_killed(patience: str) -> None:
    with script(KILLED.replace("PATIENCE", patience)) as process:
        pids = numbers(process)
        guardian = [child.pid for child in psutil.Process(process.pid).children() if "guardian" in str(child.cmdline())]
        process.kill()
        assert len(pids) == 3
        if patience == "0":
            assert gone_within([*pids, *guardian], 20)
            return
        # Asked first are those that lead a session; what else there is has so long to end.
        assert gone_within(pids[1:2], 20)
        assert runs(pids[0])
        for pid in (pids[0], pids[2]):
            os.kill(pid, signal.SIGKILL)
        assert gone_within(guardian, 20)


def test_what_was_started_is_left_alone_where_a_process_ends_by_itself() -> None:
    ending = KILLED.replace("PATIENCE", "0").replace("time.sleep(600)\n", "pass\n", 2)
    ending = ending.replace("'import time; pass", "'import time; time.sleep(600)")
    with script(ending) as process:
        pids = numbers(process)
        assert process.wait(60) == 0
        time.sleep(1.0)
        assert all(map(runs, pids))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def test_the_mark_is_there_meanwhile_and_adds_to_one_that_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MARK, "outer")
    with guarded():
        outer, mine = os.environ[MARK].split(":")
        assert (outer, len(mine)) == ("outer", 32)
        (guardian,) = (child for child in psutil.Process().children() if "guardian" in str(child.cmdline()))
        assert MARK not in guardian.environ()
    assert os.environ[MARK] == "outer"
    assert not guardian.is_running()


def test_without_another_process_to_be_had_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("Resource temporarily unavailable")

    monkeypatch.delenv(MARK, raising=False)
    monkeypatch.setattr("subprocess.Popen", refuse)
    with guarded():
        assert MARK not in os.environ
