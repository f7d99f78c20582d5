"""The processor's clock: that of processes which were started counts, while they run and when they have ended."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mtrl.tracking.stopwatch import Spent, Stopwatch

BURN = 0.2  # seconds of the processor
# Uses as much, says so, and stays until it is told to go; the second has another do so, and waits for it.
WORK = f"import time\nwhile time.process_time() < {BURN}: pass\nprint(flush=True)\ninput()\n"
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {WORK!r}])\nprint(flush=True)\ninput()\n"


@pytest.mark.parametrize("code", [WORK, PARENT], ids=["a child", "a child's child"])
def test_the_time_of_processes_counts_while_they_run_and_when_they_have_ended(code: str) -> None:
    watch = Stopwatch()
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        running = watch.read().cpu
        assert running is not None
        assert running >= BURN - 0.03  # the system counts in hundredths
        process.communicate(b"\n\n")
    ended = watch.read().cpu
    assert ended is not None
    assert ended >= running - 0.03


def test_it_counts_on_top_of_what_was_before() -> None:
    wall, cpu = Stopwatch(Spent(1e6, 2e6)).read()
    assert cpu is not None
    assert (wall >= 1e6, cpu >= 2e6) == (True, True)
    assert Stopwatch(Spent(1e6, None)).read().cpu is None


def test_where_the_system_forgets_processes_that_ended_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtrl.tracking.stopwatch.os.name", "nt")
    assert Stopwatch().read().cpu is None
