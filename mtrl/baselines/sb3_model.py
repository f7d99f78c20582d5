"""Stable-Baselines3's SAC: one model per task, their weights in one table, and the policy over all tasks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.sac.policies import SACPolicy
from torch import Tensor

from agents.registry.settings import SB3Settings
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import TaskSuite
from mtrl.config import TrainConfig
from mtrl.scoring.scores import Policy
from mtrl.training.finite import ADVICE, Diverged
from mtrl.training.replay_size import replay_capacity


def make_model(config: TrainConfig[SB3Settings], env: VecEnv, seed: int) -> SAC:
    """Return Stable-Baselines3's SAC with the run's networks, batch size, schedule and entropy, else its defaults."""
    settings = config.settings
    actions = math.prod(env.action_space.shape or ())
    first, last = settings.learning_rate, settings.final_learning_rate
    model = SAC(
        "MlpPolicy",
        env,
        learning_rate=lambda left: last + (first - last) * left,
        buffer_size=replay_capacity(config),
        learning_starts=config.random_steps,
        batch_size=config.batch_per_task,
        tau=settings.polyak,
        gamma=settings.discount,
        train_freq=1,
        gradient_steps=config.updates_per_step,
        ent_coef=f"auto_{settings.initial_temperature}",
        target_entropy=-settings.target_entropy * actions,
        policy_kwargs={"net_arch": list(settings.hidden)},
        seed=seed,
        device="cpu",
    )
    model.set_logger(Logger(folder=None, output_formats=[]))  # its own logger would create a temporary folder
    return model


def load_sb3_policy(
    config: TrainConfig[SB3Settings],
    suite: TaskSuite,
    weights: dict[str, Tensor],
    device: torch.device,
    names: Sequence[str] = (),
) -> Policy:
    """Return the deterministic policy of all tasks' models, from the table made by ``pack_weights``.

    ``names`` and the errors are those of ``load_sb3_models``.
    """
    models = load_sb3_models(config, suite, weights, names)
    return lambda obs: play_sb3_models(models, obs).to(device)


def load_sb3_models(
    config: TrainConfig[SB3Settings], suite: TaskSuite, weights: dict[str, Tensor], names: Sequence[str] = ()
) -> list[SACPolicy]:
    """Return each task's model, from the table made by ``pack_weights``.

    ``names`` selects tasks, in this order. Raises ``KeyError`` with the name of a task without a model, as after a run
    that was stopped early.
    """
    models = []
    for name in names or suite.task_names:
        env = MultiTaskVectorEnv(suite.only([name]), 1)
        model = SACPolicy(
            env.single_observation_space,
            gym.spaces.Box(-1.0, 1.0, env.single_action_space.shape),
            lambda _: config.settings.learning_rate,
            net_arch=list(config.settings.hidden),
        )
        prefix = _key(suite, name, "")
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        if not own:
            raise KeyError(name)
        model.load_state_dict(own)
        models.append(model)
        env.close()
    return models


def play_sb3_models(models: Sequence[SACPolicy], obs: Tensor, explore: bool = False) -> Tensor:
    """Let each task's model act on its rows, (T, N, obs) -> (T, N, action), zero-padded."""
    rows = obs.cpu().numpy()
    width = max(model.action_space.shape[0] for model in models)  # type: ignore[index]
    actions = np.zeros((*rows.shape[:2], width), dtype=np.float32)
    for t, model in enumerate(models):
        own = rows[t, :, : model.observation_space.shape[0]]  # type: ignore[index]
        action = model.predict(own, deterministic=not explore)[0]
        actions[t, :, : action.shape[-1]] = action
    return torch.as_tensor(actions)


def pack_weights(suite: TaskSuite, models: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
    """Merge the weights of one model per task into one table."""
    return {_key(suite, name, key): value for name, model in models.items() for key, value in model.items()}


def _key(suite: TaskSuite, task: str, parameter: str) -> str:
    """Return the key of a task's weight; it has the task's position, as one name may be a prefix of another."""
    return f"task{suite.task_names.index(task)}.{parameter}"


def task_seed(seed: int, task: int) -> int:
    """Return the seed of a task's model and environments; one for all would give them the same initial weights."""
    return int(np.random.SeedSequence([seed, task]).generate_state(1)[0])


def divergence(model: SAC, task: str, config: TrainConfig[SB3Settings]) -> Diverged | None:
    """Return the error to raise if a model's weights are not finite, else None."""
    if all(bool(weight.isfinite().all()) for weight in model.policy.state_dict().values()):
        return None
    step = f"after {model.num_timesteps:,} steps"
    return Diverged(f"task {task!r}: the weights of {config.agent}'s model are not finite {step}, {ADVICE}")
