"""Final scores of a policy, from starts not drawn in training, and their protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from envs.suite import TaskSuite
from mtrl.config import TrainConfig
from mtrl.scoring.scorer import Scorer
from mtrl.scoring.scores import MEASURES, Policy, scores_to_json
from mtrl.training.assemble import FINAL, processes_of, score_seed

RANDOM = 7  # combined with the seed to seed the generator of random actions
SUCCESS = "success_any: at any step of the episode; success_last: at its last"


def final_scores(config: TrainConfig[Any], suite: TaskSuite, policy: Policy, device: torch.device) -> dict[str, Any]:
    """Score a run's policy; return ``mean``, ``tasks`` and ``protocol`` for ``result.json``."""
    episodes = episodes_of(suite, config.eval_episodes)
    return play(config, suite, policy, episodes, score_seed(config.seed, FINAL), device, **processes_of(config))


def episodes_of(suite: TaskSuite, default: int) -> list[int]:
    """Return the number of episodes that each task is scored on: its number of fixed starts, else ``default``."""
    return [task.starts or default for task in suite.tasks]


def as_scored(suite: TaskSuite) -> TaskSuite:
    """Return the suite used for final scores and videos: without its simulator, if the suite requires that."""
    return replace(suite, simulator=None) if suite.score_in_environments else suite


def play(
    config: TrainConfig[Any],
    suite: TaskSuite,
    policy: Policy,
    episodes: Sequence[int],
    seed: int,
    device: torch.device,
    **processes: Any,
) -> dict[str, Any]:
    """Score a policy on ``episodes`` of each task, fixed starts in turn; return ``mean``, ``tasks`` and ``protocol``.

    Each score has a floor, ``random_success_any``, ``random_success_last`` or ``random_return``: the score of uniformly
    random actions from the same starts.
    """
    judged = as_scored(suite)
    scorer = Scorer(judged, episodes, seed, device, each_start=True, **processes)
    try:
        result = scores_to_json(scorer.score(policy))
        generator = np.random.default_rng((seed, RANDOM))
        floor = scores_to_json(scorer.score(lambda _: scorer.env.random_action(generator)))
    finally:
        scorer.close()
    result["mean"] |= _as_random(floor["mean"])
    for task in suite.tasks:
        grouped = {"group": task.group} if task.group else {}
        result["tasks"][task.name] |= {**_as_random(floor["tasks"][task.name]), **grouped}
    return {**result, "protocol": protocol_of(config, suite, episodes)}


def _as_random(scores: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the scores of random actions under separate names."""
    return {f"random_{measure}": scores[measure] for measure in MEASURES}


def protocol_of(config: TrainConfig[Any], suite: TaskSuite, episodes: Sequence[int]) -> dict[str, Any]:
    """Return the facts needed to compare the scores with others."""
    fixed = [task.starts > 0 for task in suite.tasks]
    chosen = {"engine": config.engine, "reward_version": config.reward_version}
    return {
        **{name: value for name, value in chosen.items() if value != "auto"},
        **_plain(suite.facts),
        "episodes": episodes[0] if len({*episodes}) == 1 else dict(zip(suite.task_names, episodes, strict=True)),
        "starts": "fixed, each in turn" if all(fixed) else "fixed where a task has such" if any(fixed) else "drawn",
        "success": SUCCESS,
        "trained_in": _stepped_by(suite),
        "scored_in": _stepped_by(as_scored(suite)),
    }


def _stepped_by(suite: TaskSuite) -> str:
    return "environments" if suite.simulator is None else "simulator"


def _plain(value: Any) -> Any:
    """Convert ``value`` to JSON values, using text for anything else, so that a run never fails on a fact."""
    if isinstance(value, Mapping):
        return {str(key): _plain(own) for key, own in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(own) for own in value]
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)
