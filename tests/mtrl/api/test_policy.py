"""``mtrl.load`` and ``Policy.predict``: unpadded observations in, actions of the task's own environment out."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch

import mtrl
from mtrl.policies.trained import policy_of
from mtrl.runs.folder import read_run

UNEQUAL = """
    from functools import partial
    import gymnasium as gym
    import numpy as np
    from mtrl import Task, TaskSuite

    class Shaped(gym.Env):
        def __init__(self, obs, low, high):
            self.observation_space = gym.spaces.Box(-np.inf, np.inf, (obs,))
            self.action_space = gym.spaces.Box(np.array(low, dtype=np.float32), np.array(high, dtype=np.float32))
        def reset(self, *, seed=None, options=None):
            self.t = 0
            return np.ones(self.observation_space.shape, dtype=np.float32), {}
        def step(self, action):
            assert self.action_space.contains(action), action
            self.t += 1
            return np.ones(self.observation_space.shape, dtype=np.float32), 1.0, self.t == 5, False, {}

    suite = TaskSuite("unequal", [
        Task("short", partial(Shaped, 2, [0.0], [10.0]), "Do little."),
        Task("long", partial(Shaped, 4, [-5.0, 2.0], [5.0, 3.0]), "Do more."),
    ])
"""
RUN = {
    "steps_per_task": 16,
    "random_steps": 8,
    "envs_per_task": 2,
    "batch_per_task": 4,
    "replay_per_task": 32,
    "eval_every": 8,
    "eval_episodes": 1,
    "log_every": 8,
    "hidden": (8,),
    "threads": 1,
    "workers": 0,
}


@pytest.fixture(params=["care", "single-task", "sb3"])
def unequal(request: pytest.FixtureRequest, plug_in: Callable[..., str], kept: Path) -> mtrl.Policy:
    """A policy for two tasks of unequal sizes and bounds."""
    name, run = plug_in(textwrap.dedent(UNEQUAL)), kept.with_name(request.param)
    if not run.exists():
        more = {"jobs": 1} if request.param == "sb3" else {"diagnose_every": 0}
        result = mtrl.learn(f"{name}:suite", request.param, runs_dir=kept.with_name("runs"), **RUN, **more)
        result.path.rename(run)
    return mtrl.load(run, suite=f"{name}:suite")


def test_a_policy_acts_within_each_tasks_own_bounds_and_size(unequal: mtrl.Policy) -> None:
    assert unequal.tasks == ("short", "long")
    assert unequal.suite.name == "unequal"
    for task, size in (("short", 2), ("long", 4)):
        space = unequal.suite.tasks[unequal.tasks.index(task)].make_env().action_space
        for deterministic in (True, False):
            one, state = unequal.predict(np.ones(size), task=task, deterministic=deterministic)
            many, _ = unequal.predict(np.ones((3, size)), task=task, deterministic=deterministic)
            none, _ = unequal.predict(np.ones((0, size)), task=task, deterministic=deterministic)
            assert (none.shape, none.dtype) == ((0, *space.shape), space.dtype)
            assert state is None
            assert space.contains(one)
            assert many.shape == (3, *one.shape)
            assert all(space.contains(row) for row in many)
        with pytest.raises(mtrl.SuiteError, match=f"task '{task}': the observation has shape"):
            unequal.predict(np.ones(size + 1), task=task)


def test_one_row_and_many_say_the_same_and_drawing_does_not(unequal: mtrl.Policy) -> None:
    rows = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    many, _ = unequal.predict(rows, task="long")
    for row, action in zip(rows, many, strict=True):
        np.testing.assert_allclose(unequal.predict(row, task="long")[0], action, rtol=1e-5, atol=1e-5)
    drawn = [unequal.predict(rows, task="long", deterministic=False)[0] for _ in range(2)]
    assert not np.array_equal(*drawn)


def test_a_policy_plays_a_suite_as_its_own_scores_say(unequal: mtrl.Policy) -> None:
    scores = mtrl.score(unequal, unequal.suite, episodes=2)
    assert {name: (score.mean_return, score.episodes) for name, score in scores.items()} == {
        "short": (5.0, 2),
        "long": (5.0, 2),
    }


def test_a_prediction_is_what_the_runs_policy_does_unscaled(finished: Path) -> None:
    """Tabletop's actions are in [-1, 1], so that nothing is left to scale."""
    path = finished / "tabletop" / "care" / "seed0"
    policy = mtrl.load(path)
    acts = policy_of(path, read_run(path)[0], policy.suite, policy.tasks)
    obs = torch.randn(2, 3, policy.suite.tasks[0].make_env().observation_space.shape[0])
    for t, task in enumerate(policy.tasks):
        mine = policy.predict(obs[t].numpy(), task=task)[0]
        np.testing.assert_allclose(mine, acts(obs)[t], rtol=1e-5, atol=1e-6)


def test_an_example_runs_in_the_environment_by_gymnasiums_id(finished: Path) -> None:
    policy = mtrl.load(finished / "tabletop" / "care" / "seed0")
    env = gym.make("mtrl/TabletopPush-v0")
    obs, _ = env.reset(seed=0)
    for _ in range(3):
        action, _ = policy.predict(obs, task="push")
        assert env.action_space.contains(action)
        obs, *_ = env.step(action)


def test_an_unknown_task_is_named_with_those_that_there_are(finished: Path) -> None:
    policy = mtrl.load(finished / "tabletop" / "care" / "seed0")
    with pytest.raises(mtrl.UsageError, match=r"unknown task 'pusch'; .* reach, push\. Did you mean 'push'"):
        policy.predict(np.zeros(39), task="pusch")
    with pytest.raises(mtrl.UsageError, match="unknown task None"):
        policy.predict(np.zeros(39))


def test_a_run_is_loaded_from_any_folder(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert mtrl.load(str(finished / "tabletop" / "single-task" / "seed0")).tasks == ("reach", "push")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(mtrl.UsageError, match="is not a run"):
        mtrl.load(tmp_path)


@pytest.mark.parametrize("path", ["a" * 5000, "a\0b", ""])
def test_a_path_that_cannot_be_is_refused(path: str) -> None:
    with pytest.raises(mtrl.UsageError, match="no run to load: "):
        mtrl.load(path)


def test_a_device_that_is_not_there_is_no_damage_to_the_run(finished: Path) -> None:
    with pytest.raises(mtrl.UsageError, match="^--device is 'tpu'; it may be auto, cpu or cuda$"):
        mtrl.load(finished / "tabletop" / "care" / "seed0", device="tpu")


def test_a_suite_of_other_tasks_is_refused(finished: Path) -> None:
    suite = mtrl.make_suite("tabletop")
    turned = dataclasses.replace(suite, tasks=suite.tasks[::-1], simulator=None)
    with pytest.raises(mtrl.UsageError, match=r"was trained on the tasks reach, push, but suite .* has push, reach;"):
        mtrl.load(finished / "tabletop" / "care" / "seed0", suite=turned)


def test_help_of_a_name_that_does_not_exist_is_pythons_own() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lern'"):
        _ = mtrl.lern
    assert {"load", "learn", "score", "Policy"} <= {*dir(mtrl)}
