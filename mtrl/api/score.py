"""Evaluate a policy on every task of a suite: ``mtrl.score``."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from envs.registry import make_suite
from envs.spaces.excess import warn_of_action
from envs.spaces.task_spaces import spaces_of
from envs.spaces.values import as_numbers, short
from envs.suite import TaskSuite
from mtrl.api.policy import Policy
from mtrl.config.train_config import MAX_COPIES, MAX_SEED
from mtrl.errors import UsageError
from mtrl.scoring import scores
from mtrl.scoring.final import as_scored
from mtrl.scoring.scorer import Scorer
from mtrl.scoring.scores import TaskScore


class Predictor(Protocol):
    """Any object with the ``predict`` of ``mtrl.Policy``."""

    def predict(self, obs: np.ndarray, task: str, deterministic: bool) -> tuple[Any, Any]:
        """Return actions (N, action) within the task's own bounds for observations (N, obs), and any second value."""


def score(
    policy: Policy | Predictor, suite: str | TaskSuite, episodes: int = 20, *, seed: int = 1_000_000
) -> dict[str, TaskScore]:
    """Evaluate a policy with deterministic episodes on every task of a suite.

    Args:
        policy: A policy from ``mtrl.load``, or any object with such a ``predict``, which is called with the task's
            name: a model of another library needs a class around it.
        suite: A suite, or its name. Tasks are identified by name; it may have fewer than the policy was trained on, as
            ``make_suite("tabletop").only(["push"])`` has.
        episodes: Episodes per task. If a task has fixed starts, they are played in turn.
        seed: Seed of the environments. Policies scored with the same seed play from the same starts.

    Returns:
        The ``TaskScore`` of each task, by name.

    Raises:
        UsageError: The policy was not trained on one of the tasks, or on another number of observations or actions, it
            returned an invalid action, or a number is out of range.
        SuiteError: The suite cannot be made, or an environment breaks the contract.
        TaskFailed: An environment failed three times in a row.

    Example:
        >>> scores = mtrl.score(policy, policy.suite, episodes=5)
        >>> scores["push"].episodes
        5
    """
    _check_number("episodes", episodes, 1, MAX_COPIES)
    _check_number("seed", seed, 0, MAX_SEED)
    judged = as_scored(make_suite(suite) if isinstance(suite, str) else suite)
    plays = _own(policy, judged) if isinstance(policy, Policy) else _adapted(policy, judged)
    device = policy.device if isinstance(policy, Policy) else torch.device("cpu")
    scorer = Scorer(judged, episodes, seed, device, each_start=True)
    try:
        actions = scorer.env.action_size
        return scorer.score(lambda obs: plays(obs)[..., :actions])
    finally:
        scorer.close()


def _own(policy: Policy, suite: TaskSuite) -> scores.Policy:
    """Return a run's policy for a suite. Raises ``UsageError`` if a task's sizes are not those of training."""
    plays = policy.on(suite.task_names)
    for task in suite.tasks:
        trained = policy.suite.tasks[policy.tasks.index(task.name)]
        if task == trained:
            continue
        (obs, actions), own = ((one.obs_size, one.action.size) for one in map(spaces_of, (task, trained)))
        if (obs, actions) != own:
            raise UsageError(
                f"task {task.name!r} has observations of {obs} numbers and actions of {actions}, but the policy was "
                f"trained on {own[0]} and {own[1]}; give the suite of its run"
            )
    return plays


def _adapted(policy: Predictor, suite: TaskSuite) -> scores.Policy:
    """Adapt a ``predict`` to the policy that ``Scorer`` calls: padded rows of all tasks to actions in [-1, 1]."""
    spaces = [spaces_of(task) for task in suite.tasks]
    width = max(own.action.size for own in spaces)

    def act(obs: Tensor) -> Tensor:
        actions = torch.zeros(*obs.shape[:2], width)
        for t, own in enumerate(spaces):
            rows = obs[t, :, : own.obs_size].cpu().numpy()
            action, _ = policy.predict(rows, task=own.task, deterministic=True)
            scaled = own.action.scaled(_checked(action, own.task, (len(rows), own.action.size)))
            warn_of_action(own.task, scaled)
            actions[t, :, : own.action.size] = torch.as_tensor(scaled)
        return actions

    return act


def _checked(action: Any, task: str, shape: tuple[int, int]) -> np.ndarray:
    array = as_numbers(action)
    if array is None or array.shape != shape or not np.isfinite(array).all():
        raise UsageError(
            f"the policy's predict returned the action {short(action)} for task {task!r}; expected finite numbers of "
            f"shape {shape}"
        )
    return np.asarray(action)  # keeps float64


def _check_number(name: str, value: Any, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) <= most:
        raise UsageError(f"{name} is {short(value)}; it must be a whole number from {least} to {most}")
