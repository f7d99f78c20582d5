"""The outside reference: Stable-Baselines3's own SAC, one model per task, on the same budget and environments."""

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
from mtrl.baselines.sb3_task import CPU, News
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
from mtrl.training.records import Progress, describe, finish, log_of, save_weights, suite_facts
from mtrl.training.replay_size import replay_capacity
from mtrl.training.schedule import Scheduled, Span, notify, rules_of

# Of each layer's weights: actor, two critics and their targets; for the first three a gradient and Adam's two means.
WEIGHTS_HELD = 5 + 3 * 3


def run_sb3(
    config: TrainConfig[Any],
    console: Console,
    given: TaskSuite | None = None,
    callbacks: Sequence[Callback | ScheduledCallback] = (),
    wanted: Any = None,
    resumed: Any = None,
) -> dict[str, Any]:
    """Train one SAC per task, ``config.jobs`` at a time, into one run folder -> its result and ``path``.

    ``given`` replaces the suite that ``config`` names; ``callbacks`` are called during training. ``wanted`` are the
    settings of the agent that it is the baseline of, not all of which it supports. A run is never
    ``resumed``: no model is saved before it is trained.
    Raises ``Stopped`` where a signal asks to, ``RunError`` where a callback does, since tasks are then left without a
    model, ``Diverged`` where a model's weights are no longer finite, and ``SuiteError`` or ``TaskFailed`` where a
    task's environment breaks the contract, or its process ends or hangs.
    """
    suite, dropped = suite_of(config, given), dropped_settings(config, wanted)
    jobs = min(config.jobs or processors(), len(suite.tasks))
    _check_before(config, given, suite, jobs)
    path = new_run_folder(config.runs_dir, suite.name, config.agent, config.seed)
    told = {"context_source": "none", **suite_facts(config, suite), "dropped_settings": dropped}
    write_config(path, config, **told)
    folder = KeptFolder(path, lambda: write_config(path, config, **told))
    console.print(
        f"{path}: Stable-Baselines3's SAC on {len(suite.tasks)} tasks, one model each, {jobs} at a time, cpu",
        markup=False,
    )
    if dropped:
        lacking = ", ".join(f"{name} {value}" for name, value in dropped.items())
        console.print(f"{config.agent} does not support these settings, which are dropped: {lacking}", markup=False)
    with guarded(), log_of(config, suite, path, console) as log:
        with StopRequest() as stop, Display(console, config.agent, config.steps_per_task) as display:
            describe(log, config, path)
            board = _Board(suite, config, log, display, callbacks)
            models, failure = train_tasks(
                config, given, suite.task_names, jobs, board.take, lambda: bool(stop) or board.stopped
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
        return finish(path, config, suite, progress, spent, parameters, CPU, precision, scores, log)


def _check_before(config: TrainConfig[Any], given: TaskSuite | None, suite: TaskSuite, jobs: int) -> None:
    """Find out before anything is written whether every task can be made, and ``jobs`` replays fit into memory."""
    try:
        pickle.dumps(given)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(
            f"{config.agent} trains each task in a process of its own, and suite {suite.name!r} cannot be sent there "
            f"({error}); make it of a module's own functions, or name it as module:attribute"
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
    check_networks_fit(jobs * WEIGHTS_HELD * layers, config.settings.hidden, CPU)


class _Counts(NamedTuple):
    """How far the tasks are on average."""

    span: Span
    env_steps: int
    updates: int


class _Board:
    """Gathers news of the tasks and writes an evaluation once every task has reached its step.

    ``stopped`` once a callback of the caller's has ended the run.
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
        self._report, self._user, self._total = (
            MetricsWriter(suite, log),
            UserCallbacks(callbacks),
            config.steps_per_task,
        )
        self._callbacks = [Scheduled(display.progress), *self._user.scheduled(rules_of(config).progress)]
        self._told, self.stopped = 0, False
        self._steps = dict.fromkeys(self._names, 0)
        self._updates = dict.fromkeys(self._names, 0)
        self._scores: dict[int, dict[str, News]] = {}

    @property
    def step(self) -> int:
        """Steps per task of the task that came farthest."""
        return max(self._steps.values())

    def take(self, news: News) -> None:
        """Take in what one task's process tells."""
        self._steps[news.task], self._updates[news.task] = news.step, news.updates
        if news.score is not None:
            self._evaluate(news)
        total = sum(self._steps.values())
        step = total // len(self._names)
        now = _Counts(Span(self._told, step, self._total), total, sum(self._updates.values()))
        self._told = step
        self.stopped = not notify(self._callbacks, now) or self.stopped

    def _evaluate(self, news: News) -> None:
        """Keep a task's evaluation, and write that of all tasks once it is whole."""
        reached = self._scores.setdefault(news.step, {})
        reached[news.task] = news
        if len(reached) == len(self._names):
            ordered = [reached[name] for name in self._names]
            scores = {one.task: one.score for one in ordered if one.score is not None}
            self._log.scalars(news.step, per_task("train/ent_coef", self._names, [n.temperature for n in ordered]))
            means = self._report.evaluation(news.step, scores, {})
            self._display.evaluated(means)
            self._user.evaluated(means)
