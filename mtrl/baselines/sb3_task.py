"""What runs inside a process that trains one task with Stable-Baselines3's SAC."""

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
SAID = (SuiteError, TaskFailed, Diverged, RunError)  # the errors whose message is one line already


class News(NamedTuple):
    """What a task's process tells the run: how far it is, and an evaluation where one was due."""

    task: str
    step: int
    updates: int
    score: TaskScore | None
    temperature: float


class Model(NamedTuple):
    """What a task's training came to."""

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
    """Train one task to its budget, and send news, then its model, None if told to halt, or the error that ended it."""
    detach(parent, dies_with_parent)
    torch.set_num_threads(1)
    keep_freed_memory()
    with lasting_output():
        try:
            connection.send(_trained(config, given, task, connection.send, halt.is_set, Heartbeat(shared)))
        except SAID as error:
            connection.send(next(kind for kind in SAID if isinstance(error, kind))(str(error)))
        except Exception as error:  # noqa: BLE001  # whatever the library raises: in one line, and whole on stderr
            traceback.print_exc(file=sys.stderr)
            connection.send(RunError(f"task {task!r}: {one_line(error)}"))


def _trained(
    config: TrainConfig[Any],
    given: TaskSuite | None,
    task: str,
    tell: Callable[[News], None],
    halted: Callable[[], bool],
    place: Heartbeat,
) -> Model | None:
    """Train one task to its budget -> its model, or None if told to halt."""
    whole = suite_of(config, given)
    suite, seed = whole.only([task]), task_seed(config.seed, whole.task_names.index(task))
    env = SB3VecEnv(suite, config.envs_per_task, seed, place)
    model = make_model(config, env, seed)
    scorer = Scorer(
        suite, config.eval_episodes, score_seed(config.seed, EVALUATION), CPU, workers=0, before=place.enter
    )
    place.leave()
    try:
        model.learn(config.steps_per_task, callback=_Watch(config, task, scorer, tell, halted, place))
    except ValueError as error:  # torch's distributions refuse parameters that are not finite
        raise (divergence(model, task, config) or error) from None
    env.close()
    scorer.close()
    place.leave()
    if diverged := divergence(model, task, config):
        raise diverged
    # As NumPy arrays: tensors would be sent as handles of memory that goes when this process does.
    weights = {name: weight.contiguous().numpy() for name, weight in model.policy.state_dict().items()}
    return None if halted() else Model(weights, int(model._n_updates))


class _Watch(BaseCallback):
    """Tells how far the model is, evaluates it when due, and ends its training when told to."""

    def __init__(
        self,
        config: TrainConfig[Any],
        task: str,
        scorer: Scorer,
        tell: Callable[[News], None],
        halted: Callable[[], bool],
        place: Heartbeat,
    ) -> None:
        super().__init__()
        self._config, self._task, self._scorer, self._place = config, task, scorer, place
        self._tell, self._halted, self._rules = tell, halted, rules_of(config)

    def _on_step(self) -> bool:
        step = self.num_timesteps
        span = Span(step - self._config.envs_per_task, step, self._config.steps_per_task)
        if self._rules.evaluation(span):
            score = self._scorer.score(self._act)[self._task]
            self._place.leave()
            self._tell(self._news(score))
        elif self._rules.progress(span):
            self._tell(self._news(None))
        return not self._halted()

    def _act(self, obs: Tensor) -> Tensor:
        return torch.as_tensor(self.model.predict(obs[0].numpy(), deterministic=True)[0])[None]

    def _news(self, score: TaskScore | None) -> News:
        model: Any = self.model
        temperature = float(model.log_ent_coef.detach().exp())
        return News(self._task, self.num_timesteps, int(model._n_updates), score, temperature)
