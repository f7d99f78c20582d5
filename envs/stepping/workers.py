"""The engine for slow environments: their rows are spread over worker processes."""

from __future__ import annotations

import contextlib
import pickle
import time
from collections.abc import Callable, Iterable, Sequence
from multiprocessing.util import Finalize
from typing import Any

import gymnasium as gym
import numpy as np

from envs.errors import SuiteError, one_line, warn
from envs.stepping.copies import GymCopies
from envs.stepping.engine import Engine, Step
from envs.stepping.failures import Failures, RestartingCopies
from envs.stepping.worker import Worker, WorkerDied
from envs.suite import Task

TIMEOUT = 60.0  # seconds that one call of an environment may take
GRACE_SECONDS = 3.0  # for all environments together to close


_Sizes = tuple[int, np.ndarray]  # of the longest observation, and of each row's action


class CannotStart(SuiteError):
    """A task cannot run in a worker process; the message names it and says why."""


class WorkerCopies:
    """An ``Engine`` with the same results as ``GymCopies``, its rows spread evenly over ``workers`` processes.

    An environment that raises is restarted, and so is a process that ends, is killed, or takes longer than ``timeout``
    seconds for one call. Each failure is named on stderr, its rows are ``lost``, and the third in a row raises
    ``TaskFailed``. Raises ``CannotStart`` if a task does not pickle or cannot be made in another process, and
    ``SuiteError`` if an environment breaks the contract.
    """

    def __init__(self, tasks: Sequence[Task], copies: int, workers: int, timeout: float = TIMEOUT) -> None:
        packed, specs = [one for task in tasks for one in [_packed(task)] * copies], _packed_specs()
        self._failures = Failures(tasks, copies)
        self.workers = min(workers, len(packed))
        shares = np.array_split(np.arange(len(packed)), self.workers)
        self._processes = [Worker(share, [packed[row] for row in share], specs, timeout) for share in shares]
        # Before multiprocessing's own exit handler, which would wait for processes that nobody stopped.
        self._end = Finalize(self, _end_all, args=(self._processes, 0.0), exitpriority=10)
        try:
            for worker in self._processes:
                worker.start()
            self._sizes = {worker: self._first_sizes(worker) for worker in self._processes}
        except BaseException:
            self.close()
            raise
        actions = np.concatenate([action for _, action in self._sizes.values()])
        self.obs_size = max(obs for obs, _ in self._sizes.values())
        self.action_size = int(actions.max())
        self.action_mask = np.arange(self.action_size) < actions[::copies, None]

    def reset(self, rows: np.ndarray, seeds: Sequence[int | None]) -> np.ndarray:
        """Reset each of ``rows``; see ``Engine.reset``."""
        obs = np.zeros((len(rows), self.obs_size), dtype=np.float32)
        positions: dict[Worker, np.ndarray] = {}
        for worker in self._processes:
            mine = np.flatnonzero(np.isin(rows, worker.rows))
            if len(mine):
                positions[worker] = mine
                worker.ask("reset", rows[mine] - worker.rows[0], [seeds[int(k)] for k in mine])
        for worker, own in self._answers(positions).items():
            obs[positions[worker], : own.shape[1]] = own
        return obs

    def step(self, action: np.ndarray) -> Step:
        """Step every row; see ``Engine.step``."""
        for worker in self._processes:
            worker.ask("step", action[worker.rows[0] : worker.rows[-1] + 1])
        answers = self._answers(self._processes)
        step = Step.blank(len(self._failures.names), self.obs_size)
        lost: list[int] = []
        for worker in self._processes:
            if worker not in answers:
                step.truncated[worker.rows] = True
                lost.extend(map(int, worker.rows))
                continue
            obs, *numbers, own_lost = answers[worker]
            step.obs[worker.rows, : obs.shape[1]] = obs
            for target, values in zip(step[1:5], numbers, strict=True):
                target[worker.rows] = values
            lost.extend(map(int, worker.rows[own_lost]))
        step = step._replace(lost=lost)
        self._failures.after(step)
        return step

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Raise ``SuiteError``: rendering needs an engine without workers."""
        raise SuiteError("environments in worker processes cannot render; pass render_mode, which turns workers off")

    def close(self) -> None:
        """Close the environments and end the processes, within a few seconds more than ``GRACE_SECONDS``."""
        for worker in self._processes:
            worker.dismiss()
        _end_all(self._processes, GRACE_SECONDS)
        self._end.cancel()

    def _answers(self, workers: Iterable[Worker]) -> dict[Worker, Any]:
        """Wait for the workers and return their results, without those of workers that died, which are restarted."""
        results: dict[Worker, Any] = {}
        failures: list[tuple[int, str]] = []
        dead: list[tuple[Worker, WorkerDied]] = []
        for worker in workers:
            try:
                results[worker], own = worker.answer()
                failures += [(int(worker.rows[row]), message) for row, message in own]
            except WorkerDied as error:
                dead.append((worker, error))
        # Raise only after all have answered, so that the next request gets its own answer.
        for row, message in failures:
            self._failures.note_one(row, message)
        for worker, death in dead:
            self._note(worker, death)
            self._restart(worker)
        for result in results.values():
            if isinstance(result, str):
                raise SuiteError(result)
        return results

    def _first_sizes(self, worker: Worker) -> _Sizes:
        sizes = self._await_start(worker)
        if isinstance(sizes, str):
            row = worker.row
            raise CannotStart(sizes if row is None else f"{self._failures.names[row]}: {sizes}")
        return sizes

    def _await_start(self, worker: Worker) -> _Sizes | str:
        """Wait for a process, restarting it if it dies; return its sizes, or why it has none."""
        while True:
            try:
                return worker.answer()[0]
            except WorkerDied as error:
                self._note(worker, error)
                worker.start()

    def _restart(self, worker: Worker) -> None:
        while True:
            worker.start()
            sizes = self._await_start(worker)
            if not isinstance(sizes, str):
                break
            self._failures.note(worker.rows, sizes)
        known = self._sizes[worker]
        if sizes[0] != known[0] or not np.array_equal(sizes[1], known[1]):
            raise SuiteError(f"{self._name(worker)}: environments have different spaces after a restart")

    def _note(self, worker: Worker, error: WorkerDied) -> None:
        """Count a process's death against the row that it was stepping or, if it was idle, against all of its rows."""
        if error.row is None:
            remedy = "it is restarted, their current episodes are dropped"
            self._failures.note(worker.rows, f"{self._name(worker)}: their worker process {error}", remedy)
            return
        others = len(worker.rows) - 1
        remedy = "it is restarted, the current episode is dropped" + (
            f" with those of {others} others" if others else ""
        )
        self._failures.note([error.row], f"{self._failures.names[error.row]}: its worker process {error}", remedy)

    def _name(self, worker: Worker) -> str:
        names = [self._failures.names[row] for row in worker.rows]
        return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"


def make_copies(
    tasks: Sequence[Task],
    copies: int,
    render_mode: str | None,
    workers: int,
    timeout: float,
    restart_failed: bool,
    on_call: Callable[[int, str], None] | None = None,
) -> Engine:
    """Return an engine that steps one environment per row, in ``workers`` processes or in this one.

    It is this process if ``render_mode`` is set and, with a warning, if a task cannot be pickled. ``on_call`` is called
    only there, as by ``GymCopies``.
    """
    if workers < 0:
        raise SuiteError(f"workers is {workers}; it must be at least 0, which means no worker processes")
    warning = ""
    if workers and render_mode is None:
        try:
            return WorkerCopies(tasks, copies, workers, timeout)
        except CannotStart as error:
            warning = f"{error}; the environments are stepped in this process, without workers"
    restart_failed = (restart_failed or workers > 0) and render_mode is None
    engine = (
        RestartingCopies(tasks, copies, on_call)
        if restart_failed
        else GymCopies(tasks, copies, render_mode, on_call=on_call)
    )
    if warning:
        warn(warning)  # only now: if a task cannot be made here either, its error says enough
    return engine


def _end_all(workers: Sequence[Worker], grace: float) -> None:
    deadline = time.monotonic() + grace
    for worker in workers:
        worker.end(deadline - time.monotonic())


def _packed(task: Task) -> bytes:
    try:
        return pickle.dumps(task)
    except Exception as error:  # whatever the parts of a task raise
        raise CannotStart(f"task {task.name!r} does not pickle ({one_line(error)})") from error


def _packed_specs() -> list[bytes]:
    """Pickle Gymnasium's registry, since a worker may not import what registered its ids."""
    packed = []
    for spec in gym.registry.values():
        with contextlib.suppress(Exception):  # a spec that does not pickle matters only to a task that uses it
            packed.append(pickle.dumps(spec))
    return packed
