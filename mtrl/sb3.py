"""The outside reference: Stable-Baselines3's own SAC, one model per task, on the same budget and environments."""

from __future__ import annotations

import pickle
import queue
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

import torch
from rich.console import Console
from safetensors.torch import save_file
from stable_baselines3.common.callbacks import BaseCallback
from torch import Tensor

from agents.precision import Precision
from agents.replay import Replay
from envs.pace import processors
from envs.suite import TaskSuite
from envs.vector import MultiTaskVectorEnv
from mtrl.assemble import EVALUATION, score_seed, suite_of
from mtrl.cli import RunError, UsageError
from mtrl.config import TrainConfig
from mtrl.defaults import dropped_settings
from mtrl.display import Display
from mtrl.final import final_scores
from mtrl.interrupt import Stopped, StopRequest
from mtrl.log import RunLog, per_task
from mtrl.memory import check_replay_fits, keep_freed_memory
from mtrl.reporter import Reporter
from mtrl.runs import WEIGHTS, new_run_folder, write_config
from mtrl.sb3_env import SB3VecEnv
from mtrl.sb3_model import divergence, load_sb3_policy, make_model, pack_weights, task_seed
from mtrl.scores import Scorer, TaskScore
from mtrl.session import Progress, describe, finish, replay_capacity, suite_facts
from mtrl.training.callbacks import Callback, ScheduledCallback, UserCallbacks
from mtrl.training.schedule import Scheduled, Span, notify, rules_of

CPU = torch.device("cpu")


class _News(NamedTuple):
    """What a task's process tells the run: how far it is, and an evaluation where one was due."""

    task: str
    step: int
    updates: int
    score: TaskScore | None
    temperature: float


class _Model(NamedTuple):
    """The result of a task's training."""

    weights: dict[str, Tensor]
    updates: int


def run_sb3(
    config: TrainConfig[Any],
    console: Console,
    given: TaskSuite | None = None,
    callbacks: Sequence[Callback | ScheduledCallback] = (),
    wanted: Any = None,
) -> dict[str, Any]:
    """Train one SAC per task, ``config.jobs`` at a time, into one run folder -> its result and ``path``.

    ``given`` replaces the suite that ``config`` names; ``callbacks`` are called during training. ``wanted`` are the
    settings of the agent that it is the baseline of, not all of which it supports.
    Raises ``Stopped`` where a signal asks to, ``RunError`` where a callback does, since tasks are then left without a
    model, and ``Diverged`` where a model's weights are no longer finite.
    """
    suite, dropped = suite_of(config, given), dropped_settings(config, wanted)
    jobs = min(config.jobs or processors(), len(suite.tasks))
    _check_before(config, given, suite, jobs)
    path = new_run_folder(config.runs_dir, suite.name, config.agent, config.seed)
    write_config(path, config, context_source="none", **suite_facts(config, suite), dropped_settings=dropped)
    console.print(f"{path}: Stable-Baselines3's SAC on {len(suite.tasks)} tasks, one model each, {jobs} at a time, cpu")
    if dropped:
        lacking = ", ".join(f"{name} {value}" for name, value in dropped.items())
        console.print(f"{config.agent} does not support these settings, which are dropped: {lacking}")
    with RunLog(path) as log:
        with StopRequest() as stop, Display(console, config.agent, config.steps_per_task) as display:
            describe(log, config, path)
            board = _Board(suite, config, log, display, callbacks)
            models = _train_all(config, given, suite.task_names, jobs, board, lambda: bool(stop) or board.stopped)
            seconds = log.seconds
        weights = pack_weights(suite, {name: model.weights for name, model in models.items()})
        save_file(weights, path / WEIGHTS)
        if stop.signal is not None:
            console.print(f"stopped; weights and metrics so far, of {len(models)} finished tasks, are in {path}")
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
        return finish(path, config, suite, progress, seconds, parameters, CPU, precision, scores, log)


def _check_before(config: TrainConfig[Any], given: TaskSuite | None, suite: TaskSuite, jobs: int) -> None:
    """Find out before anything is written whether every task can be made, and ``jobs`` replays fit into memory."""
    try:
        pickle.dumps(given)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(
            f"{config.agent} trains each task in a process of its own, and suite {suite.name!r} cannot be sent there "
            f"({error}); make it of a module's own functions, or name it as module:attribute"
        ) from None
    largest = 0
    for name in suite.task_names:
        env = MultiTaskVectorEnv(suite.only([name]), 1)
        sizes = env.engine.obs_size, env.engine.action_size
        largest = max(largest, Replay.bytes_needed(1, replay_capacity(config), *sizes))
        env.close()
    check_replay_fits(jobs * largest, CPU)


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
        self._report, self._user, self._total = Reporter(suite, log), UserCallbacks(callbacks), config.steps_per_task
        self._callbacks = [Scheduled(display.progress), *self._user.scheduled(rules_of(config).progress)]
        self._told, self.stopped = 0, False
        self._steps = dict.fromkeys(self._names, 0)
        self._updates = dict.fromkeys(self._names, 0)
        self._scores: dict[int, dict[str, _News]] = {}

    @property
    def step(self) -> int:
        """Steps per task of the task that came farthest."""
        return max(self._steps.values())

    def take(self, news: _News) -> None:
        """Take in what one task's process tells."""
        self._steps[news.task], self._updates[news.task] = news.step, news.updates
        if news.score is not None:
            self._evaluate(news)
        total = sum(self._steps.values())
        step = total // len(self._names)
        now = _Counts(Span(self._told, step, self._total), total, sum(self._updates.values()))
        self._told = step
        self.stopped = not notify(self._callbacks, now) or self.stopped

    def _evaluate(self, news: _News) -> None:
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


def _train_all(
    config: TrainConfig[Any],
    given: TaskSuite | None,
    names: Sequence[str],
    jobs: int,
    board: _Board,
    stop: Callable[[], bool],
) -> dict[str, _Model]:
    """Train every task in a process pool -> task name to model, of those that finished."""
    context = get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(jobs, context, initializer=_in_worker) as pool:
        news, halt = manager.Queue(), manager.Event()
        futures = {name: pool.submit(_train_one, config, given, name, news, halt) for name in names}
        while not all(future.done() for future in futures.values()):
            _take_all(news, board)
            failed = any(f.done() and not f.cancelled() and f.exception() for f in futures.values())
            if stop() or failed:
                halt.set()
                pool.shutdown(wait=True, cancel_futures=True)
        _take_all(news, board)
        return {name: model for name, future in futures.items() if (model := _result_of(future)) is not None}


def _result_of(future: Future[_Model | None]) -> _Model | None:
    return None if future.cancelled() else future.result()


def _take_all(news: Any, board: _Board) -> None:
    try:
        one = news.get(timeout=0.2)
        while True:
            board.take(one)
            one = news.get_nowait()
    except queue.Empty:
        return


def _in_worker() -> None:
    """Leave signals to the run's own process, and one thread to each model."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(1)
    keep_freed_memory()


def _train_one(config: TrainConfig[Any], given: TaskSuite | None, task: str, news: Any, halt: Any) -> _Model | None:
    """Train one task to its budget -> its model, or None if halted."""
    whole = suite_of(config, given)
    suite, seed = whole.only([task]), task_seed(config.seed, whole.task_names.index(task))
    env = SB3VecEnv(suite, config.envs_per_task, seed)
    model = make_model(config, env, seed)
    scorer = Scorer(suite, config.eval_episodes, score_seed(config.seed, EVALUATION), CPU)
    try:
        model.learn(config.steps_per_task, callback=_Watch(config, task, scorer, news.put, halt.is_set))
    except ValueError as error:  # torch's distributions refuse parameters that are not finite
        raise (divergence(model, task, config) or error) from None
    env.close()
    scorer.close()
    if diverged := divergence(model, task, config):
        raise diverged
    weights = {name: weight.contiguous() for name, weight in model.policy.state_dict().items()}
    return None if halt.is_set() else _Model(weights, int(model._n_updates))


class _Watch(BaseCallback):
    """Reports the model's progress, evaluates it when due, and ends its training on request."""

    def __init__(
        self,
        config: TrainConfig[Any],
        task: str,
        scorer: Scorer,
        tell: Callable[[_News], None],
        halted: Callable[[], bool],
    ) -> None:
        super().__init__()
        self._config, self._task, self._scorer = config, task, scorer
        self._tell, self._halted, self._rules = tell, halted, rules_of(config)

    def _on_step(self) -> bool:
        step = self.num_timesteps
        span = Span(step - self._config.envs_per_task, step, self._config.steps_per_task)
        if self._rules.evaluation(span):
            self._tell(self._news(self._scorer.score(self._act)[self._task]))
        elif self._rules.progress(span):
            self._tell(self._news(None))
        else:
            return True
        return not self._halted()

    def _act(self, obs: Tensor) -> Tensor:
        return torch.as_tensor(self.model.predict(obs[0].numpy(), deterministic=True)[0])[None]

    def _news(self, score: TaskScore | None) -> _News:
        model: Any = self.model
        temperature = float(model.log_ent_coef.detach().exp())
        return _News(self._task, self.num_timesteps, int(model._n_updates), score, temperature)
