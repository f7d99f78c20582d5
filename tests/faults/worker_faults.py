"""Environments that fail in worker processes in every way: restarted or named, nothing hangs, nothing stays."""

from __future__ import annotations

import os
import signal
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from envs.errors import SuiteError, TaskFailed
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import Task
from tests.envs.failing import WAYS, failing, walks
from tests.envs.stepping.watching import children, play
from tests.faults.children import Child, marked, wait_for
from tests.faults.odd import RESETS, STEPS, odd
from tests.faults.outcome import Counted, counted

TIMEOUT = 1.0  # seconds that a call of an environment may take
LIMIT = 60.0  # seconds for all of a trial, in which processes start up to six times
GONE = 5.0  # seconds in which nothing of a trial runs any more
NAMED = 3  # exit code

# The first letter of a pattern is the first call; the environments that are tried are two copies.
PATTERNS = {"make": "x", "reset": "..x", "step": "x", "close": "x"}


class Fault(NamedTuple):
    """What goes wrong where, with so many workers; ``task`` makes the task whose environment does, None for none."""

    name: str
    workers: int
    task: Callable[[Path], Task] | None


def _failing(how: str, call: str, workers: int) -> Fault:
    return Fault(f"{how} in {call}", workers, lambda folder: failing(how, call, PATTERNS[call], folder))


def _odd(call: str, what: str) -> Fault:
    return Fault(f"{what} from {call}", 2, lambda folder: odd(call, what))


FAULTS = (
    *(_failing(how, call, 2) for call in ("make", "reset", "step") for how in WAYS),
    *(_failing(how, "close", 2) for how in ("raise", "os._exit", "killed", "hang")),
    *(_odd("reset", what) for what in RESETS),
    *(_odd("step", what) for what in STEPS),
    *(_failing("raise", call, 0) for call in ("make", "reset", "step")),
    _failing("sys.exit", "step", 0),
    Fault("killed between steps", 2, None),
)


def worker_faults(folder: Path, trials: int = len(FAULTS)) -> Counted:
    """Try so many of the faults, spread over all of them."""
    chosen = [FAULTS[k * len(FAULTS) // trials] for k in range(trials)]
    said = [_trial(folder / str(k), fault) for k, fault in enumerate(chosen)]
    return counted([words and f"{fault.name}: {words}" for fault, words in zip(chosen, said, strict=True)])


def _trial(folder: Path, fault: Fault) -> str:
    """Step environments one of which fails, in a process of their own -> what is wrong with how it ended."""
    folder.mkdir(parents=True)
    mark = uuid.uuid4().hex
    child = Child(lambda: _step(folder, fault), folder / "log", mark)
    code = child.wait(LIMIT)
    if not wait_for(lambda: not marked(mark), GONE):
        left = marked(mark)
        for process in left:
            process.kill()
        return f"{len(left)} processes stay"
    if code is None:
        return f"it hangs: {child.last_line()}"
    if code not in (0, NAMED):
        return f"it ends with {code}: {child.last_line()}"
    named = "task '" in child.log.read_text()
    return "" if named or (fault.name.endswith("close") and (folder / "tries").exists()) else "no task is named"


def _step(folder: Path, fault: Fault) -> int:
    """Play in this process -> the exit code that says how it went."""
    suite = walks(*([fault.task(folder)] if fault.task else []))
    try:
        env = MultiTaskVectorEnv(suite, 2, workers=fault.workers, timeout=TIMEOUT, restart_failed=True)
        try:
            seen = play(env, 6)
            if fault.task is None:
                os.kill(children()[0].pid, signal.SIGKILL)
                seen += play(env, 6)[1:]
        finally:
            env.close()
    except (SuiteError, TaskFailed) as error:
        sys.stderr.write(f"{error}\n")
        return NAMED
    return 0 if all(np.isfinite(step[name]).all() for step in seen[1:] for name in ("final_obs", "reward")) else 1
