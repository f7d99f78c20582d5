"""The suite: solvable, not trivially so, the same however it is computed, and with observations that hide the task."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import array_api_compat.torch as array_torch
import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from envs.errors import SuiteError
from envs.tabletop import suite
from envs.tabletop.env import TabletopEnv
from envs.tabletop.register import gym_id
from envs.tabletop.simulator import TabletopSimulator
from envs.tabletop.tasks import HORIZON, TASKS
from tests.envs.tabletop.expert import expert_action

NAMES = [task.name for task in TASKS]
EPISODES = 200


def success_rates(policy: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
    """Return the share of episodes solved at any step, per task."""
    simulator = TabletopSimulator(TASKS, EPISODES)
    obs = simulator.reset(np.arange(len(TASKS) * EPISODES), list(range(len(TASKS) * EPISODES)))
    solved = np.zeros(len(obs), dtype=bool)
    for _ in range(HORIZON):
        step = simulator.step(policy(obs))
        obs, solved = step.obs, solved | (step.success > 0)
        assert ((step.reward >= 0) & (step.reward <= 1)).all()
        assert ((step.reward == 1) == (step.success == 1)).all()
    return dict(zip(NAMES, solved.reshape(len(TASKS), EPISODES).mean(axis=1), strict=True))


def test_the_expert_solves_every_task() -> None:
    def expert(obs: np.ndarray) -> np.ndarray:
        parts = obs.reshape(len(TASKS), EPISODES, -1)
        return np.concatenate([expert_action(task, part) for task, part in zip(TASKS, parts, strict=True)])

    rates = success_rates(expert)
    assert {name: rate for name, rate in rates.items() if rate < 0.95} == {}


def test_chance_solves_none() -> None:
    generator = np.random.default_rng(0)
    rates = success_rates(lambda obs: generator.uniform(-1, 1, (len(obs), 3)))
    assert {name: rate for name, rate in rates.items() if rate > 0.10} == {}


@pytest.mark.parametrize("grip", [-1.0, 1.0])
@pytest.mark.parametrize("move", [(0.0, 1.0), (0.0, 0.5), (0.5, 1.0), (-0.5, 1.0), (1.0, 0.0), (-1.0, 0.0)])
def test_no_constant_direction_solves_one(move: tuple[float, float], grip: float) -> None:
    rates = success_rates(lambda obs: np.tile([*move, grip], (len(obs), 1)))
    assert {name: rate for name, rate in rates.items() if rate > 0.25} == {}


def test_numpy_and_torch_give_the_same_trajectories_from_the_same_draws() -> None:
    engines = [TabletopSimulator(TASKS, 3), TabletopSimulator(TASKS, 3, array_torch, torch.device("cpu"))]
    draws, rows = np.random.default_rng(0).random((30, 7)), np.arange(30)
    for engine in engines:
        engine.begin(rows, draws)
    generator = np.random.default_rng(1)
    for _ in range(200):
        action = generator.uniform(-1, 1, (30, 3)).astype(np.float32)
        mine, theirs = engines[0].step(action), engines[1].step(torch.as_tensor(action))
        assert isinstance(theirs.obs, torch.Tensor)
        for one, other in zip(mine[:5], theirs[:5], strict=True):
            np.testing.assert_allclose(one, other.numpy(), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_single_environment_plays_as_its_row_of_the_batch(name: str) -> None:
    batch = TabletopSimulator(TASKS)
    row = NAMES.index(name)
    batch_obs = batch.reset(np.arange(10), [3] * 10)
    single = TabletopEnv(name)
    obs, _ = single.reset(seed=3)
    np.testing.assert_array_equal(obs, batch_obs[row])
    generator = np.random.default_rng(0)
    for _ in range(HORIZON):
        action = generator.uniform(-1, 1, (10, 3)).astype(np.float32)
        step = batch.step(action)
        obs, reward, _, truncated, info = single.step(action[row])
        np.testing.assert_array_equal(obs, step.obs[row])
        assert (reward, info["success"]) == (step.reward[row], step.success[row])
    assert truncated


@pytest.mark.parametrize(
    "alike", [["reach", "push", "pick-place"], ["drawer-open", "drawer-close"], ["window-open", "window-close"]]
)
def test_the_observation_does_not_reveal_the_task(alike: list[str]) -> None:
    starts = [TabletopEnv(name).reset(seed=11)[0].tolist() for name in alike]
    assert all(start == starts[0] for start in starts)


def test_a_goal_is_shown_only_where_it_is_drawn() -> None:
    shown = {name for name in NAMES if np.any(TabletopEnv(name).reset(seed=0)[0][9:11])}
    assert shown == {"reach", "push", "pick-place", "peg-insert"}


def test_starts_and_goals_are_drawn_again_each_episode() -> None:
    env = TabletopEnv("push")
    starts = np.array([env.reset(seed=0 if k == 0 else None)[0] for k in range(20)])
    assert (starts[:, [0, 1, 4, 5, 9, 10]].std(axis=0) > 0.05).all()


@pytest.mark.parametrize("name", NAMES)
def test_both_libraries_checkers_accept_it_without_a_warning(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make(gym_id(name), render_mode="rgb_array")
        check_env(env.unwrapped)
        sb3_check_env(env.unwrapped)


def test_ids_are_registered_under_readable_names() -> None:
    assert gym_id("pick-place") == "mtrl/TabletopPickPlace-v0"
    env = gym.make("mtrl/TabletopPush-v0")
    assert env.spec is not None
    assert env.spec.max_episode_steps == HORIZON
    with pytest.raises(SuiteError, match=r"unknown tabletop task 'pusch'.*Did you mean 'push'"):
        TabletopEnv("pusch")


def test_pictures_show_the_scene() -> None:
    pictures = []
    for name in NAMES:
        env = TabletopEnv(name, render_mode="rgb_array")
        env.reset(seed=0)
        pictures.append(env.render())
        assert pictures[-1].shape == (256, 256, 3)
        assert pictures[-1].dtype == np.uint8
        assert len(np.unique(pictures[-1].reshape(-1, 3), axis=0)) > 20
        env.step(np.ones(3, dtype=np.float32))
        assert not np.array_equal(env.render(), pictures[-1])
    assert len({picture.tobytes() for picture in pictures}) >= 8  # puck tasks differ by the rim and the goal's size


def test_every_task_has_its_own_sentence() -> None:
    assert len(set(suite.descriptions)) == len(TASKS) == 10
