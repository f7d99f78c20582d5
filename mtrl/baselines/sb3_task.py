"""The body of a process that trains one task with Stable-Baselines3's SAC."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from torch import Tensor

from envs.errors import SuiteError, TaskFailed, one_line
from envs.output import lasting_output
from envs.stepping.heartbeat import Heartbeat, detach
from envs.suite import TaskSuite
from mtrl.baselines.sb3_env import SB3VecEnv
from mtrl.baselines.sb3_model import divergence, make_model, task_seed
from mtrl.config import TrainConfig
from mtrl.errors import RunError
from mtrl.scoring.scorer import Scorer
from mtrl.scoring.scores import TaskScore
from mtrl.training.assemble import EVALUATION, score_seed, suite_of
from mtrl.training.finite import Diverged
from mtrl.training.memory import keep_freed_memory
from mtrl.training.schedule import Span, rules_of

CPU = torch.device("cpu")
ONE_LINE_ERRORS = (SuiteError, TaskFailed, Diverged, RunError)  # their message is already one line


class TaskProgress(NamedTuple):
    """A progress report of a task's process, with an evaluation if one was due."""

    task: str
    step: int
    updates: int
    score: TaskScore | None
    temperature: float


class TaskModel(NamedTuple):
    """The result of a task's training."""

    weights: dict[str, np.ndarray]
    updates: int


def train_task(
    connection: Connection,
    shared: Any,
    parent: int,
    dies_with_parent: bool,
    config: TrainConfig[Any],
    given: TaskSuite | None,
    task: str,
    halt: Any,
) -> None:
    """Train one task; send progress reports, then the model (None if halted) or the error that ended it."""
    detach(parent, dies_with_parent)
    torch.set_num_threads(1)
    keep_freed_memory()
    with lasting_output():
        try:
            connection.send(_trained(config, given, task, connection.send, halt.is_set, Heartbeat(shared)))
        except ONE_LINE_ERRORS as error:
            connection.send(next(kind for kind in ONE_LINE_ERRORS if isinstance(error, kind))(str(error)))
        except Exception as error:  # noqa: BLE001  # any error of the library: one line, and a traceback on stderr
            traceback.print_exc(file=sys.stderr)
            connection.send(RunError(f"task {task!r}: {one_line(error)}"))


def _trained(
    config: TrainConfig[Any],
    given: TaskSuite | None,
    task: str,
    report: Callable[[TaskProgress], None],
    halted: Callable[[], bool],
    heartbeat: Heartbeat,
) -> TaskModel | None:
    """Train one task to its budget; return its model, or None if halted."""
    full_suite = suite_of(config, given)
    suite, seed = full_suite.only([task]), task_seed(config.seed, full_suite.task_names.index(task))
    env = SB3VecEnv(suite, config.envs_per_task, seed, heartbeat)
    model = make_model(config, env, seed)
    scorer = Scorer(
        suite, config.eval_episodes, score_seed(config.seed, EVALUATION), CPU, workers=0, on_call=heartbeat.enter
    )
    heartbeat.leave()
    try:
        model.learn(config.steps_per_task, callback=_Watch(config, task, scorer, report, halted, heartbeat))
    except ValueError as error:  # torch's distributions raise it for parameters that are not finite
        raise (divergence(model, task, config) or error) from None
    env.close()
    scorer.close()
    heartbeat.leave()
    if diverged := divergence(model, task, config):
        raise diverged
    # As NumPy arrays: tensors would be sent as handles of memory that is freed when this process ends.
    weights = {name: weight.contiguous().numpy() for name, weight in model.policy.state_dict().items()}
    return None if halted() else TaskModel(weights, int(model._n_updates))


class _Watch(BaseCallback):
    """Reports progress, evaluates the model when due, and ends its training when halted."""

    def __init__(
        self,
        config: TrainConfig[Any],
        task: str,
        scorer: Scorer,
        report: Callable[[TaskProgress], None],
        halted: Callable[[], bool],
        heartbeat: Heartbeat,
    ) -> None:
        super().__init__()
        self._config, self._task, self._scorer, self._heartbeat = config, task, scorer, heartbeat
        self._report, self._halted, self._rules = report, halted, rules_of(config)

    def _on_step(self) -> bool:
        step = self.num_timesteps
        span = Span(step - self._config.envs_per_task, step, self._config.steps_per_task)
        if self._rules.evaluation(span):
            score = self._scorer.score(self._act)[self._task]
            self._heartbeat.leave()
            self._report(self._progress(score))
        elif self._rules.progress(span):
            self._report(self._progress(None))
        return not self._halted()

    def _act(self, obs: Tensor) -> Tensor:
        return torch.as_tensor(self.model.predict(obs[0].numpy(), deterministic=True)[0])[None]

    def _progress(self, score: TaskScore | None) -> TaskProgress:
        model: Any = self.model
        temperature = float(model.log_ent_coef.detach().exp())
        return TaskProgress(self._task, self.num_timesteps, int(model._n_updates), score, temperature)
