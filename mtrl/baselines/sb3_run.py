"""An external reference: Stable-Baselines3's own SAC, one model per task, on the same budget and environments."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from rich.console import Console

from agents.precision import Precision
from agents.replay import Replay
from envs.stepping.pace import processors
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import TaskSuite
from mtrl.baselines.sb3_model import load_sb3_policy, pack_weights
from mtrl.baselines.sb3_pool import train_tasks
from mtrl.baselines.sb3_task import CPU, TaskProgress
from mtrl.config import TrainConfig
from mtrl.config.defaults import dropped_settings
from mtrl.errors import RunError, UsageError
from mtrl.runs.folder import new_run_folder, write_config
from mtrl.runs.kept_folder import KeptFolder
from mtrl.scoring.final import final_scores
from mtrl.terminal.guardian import guarded
from mtrl.terminal.interrupt import Stopped, StopRequest
from mtrl.terminal.live_line import Display
from mtrl.tracking.metrics import MetricsWriter
from mtrl.tracking.run_log import RunLog, per_task
from mtrl.training.assemble import suite_of
from mtrl.training.callbacks import Callback, ScheduledCallback, UserCallbacks
from mtrl.training.memory import check_networks_fit, check_replay_fits
from mtrl.training.records import Outcome, Progress, describe, finish, log_of, save_weights, suite_facts
from mtrl.training.replay_size import replay_capacity
from mtrl.training.schedule import Scheduled, Span, notify, rules_of

# Copies of each layer's weights: actor, two critics and two targets; the first three also have a gradient and Adam's
# two moments.
WEIGHT_COPIES = 5 + 3 * 3


def run_sb3(
    config: TrainConfig[Any],
    console: Console,
    given: TaskSuite | None = None,
    callbacks: Sequence[Callback | ScheduledCallback] = (),
    wanted: Any = None,
    resumed: Any = None,
) -> dict[str, Any]:
    """Train one SAC per task, ``config.jobs`` at a time, into one run folder; return its result with ``path``.

    ``given`` replaces the suite that ``config`` names; ``callbacks`` are called during training. ``wanted`` has the
    settings of the agent that this is the baseline of, not all of which it supports. A run is never ``resumed``, as
    models are saved only once trained.
    Raises ``Stopped`` after a signal, ``RunError`` if a callback stops the run before every task has a model,
    ``Diverged`` if a model's weights are not finite, and ``SuiteError`` or ``TaskFailed`` if a task's environment
    breaks the contract, or its process ends or hangs.
    """
    suite, dropped = suite_of(config, given), dropped_settings(config, wanted)
    jobs = min(config.jobs or processors(), len(suite.tasks))
    _check_before(config, given, suite, jobs)
    path = new_run_folder(config.runs_dir, suite.name, config.agent, config.seed)
    metadata = {"context_source": "none", **suite_facts(config, suite), "dropped_settings": dropped}
    write_config(path, config, **metadata)
    folder = KeptFolder(path, lambda: write_config(path, config, **metadata))
    console.print(
        f"{path}: Stable-Baselines3's SAC on {len(suite.tasks)} tasks, one model each, {jobs} at a time, cpu",
        markup=False,
    )
    if dropped:
        listed = ", ".join(f"{name} {value}" for name, value in dropped.items())
        console.print(f"{config.agent} does not support these settings, which are dropped: {listed}", markup=False)
    with guarded(), log_of(config, suite, path, console) as log:
        with StopRequest() as stop, Display(console, config.agent, config.steps_per_task) as display:
            describe(log, config, path)
            board = _ProgressBoard(suite, config, log, display, callbacks)
            models, failure = train_tasks(
                config, given, suite.task_names, jobs, board.receive, lambda: bool(stop) or board.stopped
            )
            spent = log.spent
        tensors = {name: {k: torch.from_numpy(v) for k, v in model.weights.items()} for name, model in models.items()}
        weights = pack_weights(suite, tensors)
        folder()
        save_weights(weights, path, board.step)
        if failure is not None:
            console.print(f"weights and metrics so far, of {len(models)} finished tasks, are in {path}", markup=False)
            raise failure
        if stop.signal is not None:
            console.print(
                f"stopped; weights and metrics so far, of {len(models)} finished tasks, are in {path}", markup=False
            )
            raise Stopped(stop.signal)
        if board.stopped and len(models) < len(suite.tasks):
            raise RunError(
                f"a callback stopped {config.agent} before every task had a model; metrics so far are in {path}"
            )
        policy = load_sb3_policy(config, suite, weights, CPU)
        progress = Progress(board.step, board.step * len(suite.tasks), max(model.updates for model in models.values()))
        parameters = sum(v.numel() for k, v in weights.items() if "critic_target" not in k)
        scores = final_scores(config, suite, policy, CPU)
        precision = Precision("float32", "float32")
        return finish(path, config, suite, Outcome(progress, spent, parameters, CPU, precision, scores), log)


def _check_before(config: TrainConfig[Any], given: TaskSuite | None, suite: TaskSuite, jobs: int) -> None:
    """Check before anything is written that every task can be created, and that ``jobs`` replays fit into memory."""
    try:
        pickle.dumps(given)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(
            f"{config.agent} trains each task in a separate process, and suite {suite.name!r} cannot be sent there "
            f"({error}); build it from module-level functions, or name it as module:attribute"
        ) from None
    largest = widest = 0
    for name in suite.task_names:
        env = MultiTaskVectorEnv(suite.only([name]), 1)
        sizes = env.engine.obs_size, env.engine.action_size
        largest = max(largest, Replay.bytes_needed(1, replay_capacity(config), *sizes))
        widest = max(widest, *sizes)
        env.close()
    check_replay_fits(jobs * largest, CPU)
    layers = sum(a * b for a, b in pairwise((widest, *config.settings.hidden)))
    check_networks_fit(jobs * WEIGHT_COPIES * layers, config.settings.hidden, CPU)


class _Counts(NamedTuple):
    """The average progress of the tasks."""

    span: Span
    env_steps: int
    updates: int


class _ProgressBoard:
    """Collects the progress of the tasks and logs an evaluation once every task has reached its step.

    ``stopped`` is set once one of the caller's callbacks has ended the run.
    """

    def __init__(
        self,
        suite: TaskSuite,
        config: TrainConfig[Any],
        log: RunLog,
        display: Display,
        callbacks: Sequence[Callback | ScheduledCallback],
    ) -> None:
        self._names, self._log, self._display = suite.task_names, log, display
        self._metrics, self._user, self._total = (
            MetricsWriter(suite, log),
            UserCallbacks(callbacks),
            config.steps_per_task,
        )
        self._callbacks = [Scheduled(display.progress), *self._user.scheduled(rules_of(config).progress)]
        self._notified_step, self.stopped = 0, False
        self._steps = dict.fromkeys(self._names, 0)
        self._updates = dict.fromkeys(self._names, 0)
        self._scores: dict[int, dict[str, TaskProgress]] = {}

    @property
    def step(self) -> int:
        """Steps of the most advanced task."""
        return max(self._steps.values())

    def receive(self, report: TaskProgress) -> None:
        """Process a report of one task's process."""
        self._steps[report.task], self._updates[report.task] = report.step, report.updates
        if report.score is not None:
            self._evaluate(report)
        total = sum(self._steps.values())
        step = total // len(self._names)
        now = _Counts(Span(self._notified_step, step, self._total), total, sum(self._updates.values()))
        self._notified_step = step
        self.stopped = not notify(self._callbacks, now) or self.stopped

    def _evaluate(self, report: TaskProgress) -> None:
        """Keep a task's evaluation, and log the evaluation once all tasks have theirs."""
        reached = self._scores.setdefault(report.step, {})
        reached[report.task] = report
        if len(reached) == len(self._names):
            ordered = [reached[name] for name in self._names]
            scores = {one.task: one.score for one in ordered if one.score is not None}
            self._log.scalars(report.step, per_task("train/ent_coef", self._names, [n.temperature for n in ordered]))
            means = self._metrics.evaluation(report.step, scores, {})
            self._display.evaluated(means)
            self._user.evaluated(means)
