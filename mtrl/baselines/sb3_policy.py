"""Load the policy of a run of Stable-Baselines3's models from its folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from envs.suite import TaskSuite
from mtrl.config import TrainConfig
from mtrl.errors import UsageError
from mtrl.policies.trained import Player
from mtrl.policies.weights import misfit, weights_of
from mtrl.runs.folder import WEIGHTS
from mtrl.scoring.scores import Policy
from mtrl.training.assemble import device_of
from mtrl.training.memory import networks_fit


def sb3_policy(path: Path, config: TrainConfig[Any], suite: TaskSuite, names: Sequence[str]) -> Policy:
    """Return the deterministic policy of Stable-Baselines3's models for tasks of the run."""
    from mtrl.baselines.sb3_model import load_sb3_policy  # slow import

    with _sb3_weights(path, config) as weights:
        return load_sb3_policy(config, suite, weights, device_of(config), names)


def load_sb3(path: Path, config: TrainConfig[Any], suite: TaskSuite) -> list[Any]:
    """Return Stable-Baselines3's model of each task of a run. Raises ``UsageError`` if the weights do not fit."""
    from mtrl.baselines.sb3_model import load_sb3_models  # slow import

    with _sb3_weights(path, config) as weights:
        return load_sb3_models(config, suite, weights)


def sb3_player(path: Path, config: TrainConfig[Any], suite: TaskSuite) -> Player:
    """Return a function that acts with Stable-Baselines3's models on any tasks of the run, greedily or not."""
    from mtrl.baselines.sb3_model import play_sb3_models

    models = load_sb3(path, config, suite)

    def play(obs: Tensor, task: Sequence[int], explore: bool) -> Tensor:
        return play_sb3_models([models[t] for t in task], obs, explore)

    return play


@contextmanager
def _sb3_weights(path: Path, config: TrainConfig[Any]) -> Iterator[dict[str, Tensor]]:
    """Read the weights of a run; errors raised inside the block name the run."""
    try:
        weights = weights_of(path, config)
        with networks_fit(config.settings.hidden):
            yield weights
    except RuntimeError as error:
        raise misfit(path, error) from None
    except KeyError as task:
        raise UsageError(
            f"{str(path / WEIGHTS)!r} has no model of task {task}: the run was stopped early; train it again"
        ) from None
