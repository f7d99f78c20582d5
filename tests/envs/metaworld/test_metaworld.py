"""Meta-World on its own environments: the benchmark's lists, and faults of its release that must not recur here."""

from __future__ import annotations

import importlib.util
import pickle
import sys
import zlib
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np
import pytest

pytest.importorskip("metaworld")

import metaworld
from metaworld import env_dict
from metaworld.policies import ENV_POLICY_MAP

from envs.errors import SuiteError
from envs.metaworld import STARTS, lists, make_env, ml10, mt1, mt10, suite
from envs.metaworld.farama import _STARTS, _raw, draw_starts
from envs.registry import make_suite
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import TaskSuite

REACH = ("reach-v3",)


def farama(*names: str, **options: Any) -> TaskSuite:
    return suite("some", names or REACH, engine="farama", **options)


def goals(obs: np.ndarray) -> np.ndarray:
    return obs[..., 36:39]


def start_of(env: Any) -> int:
    """Return which of its fifty starts an environment is at."""
    start = env.env._last_rand_vec
    return int(np.flatnonzero((env._starts == start).all(axis=1))[0])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lists.MT10, env_dict.MT10_V3),
        (lists.MT25, env_dict.MT25_V3),
        (lists.MT50, env_dict.MT50_V3),
        (lists.ML10_TRAIN, env_dict.ML10_V3["train"]),
        (lists.ML10_TEST, env_dict.ML10_V3["test"]),
        (lists.ML45_TRAIN, env_dict.ML45_V3["train"]),
        (lists.ML45_TEST, env_dict.ML45_V3["test"]),
    ],
    ids=["MT10", "MT25", "MT50", "ML10 train", "ML10 test", "ML45 train", "ML45 test"],
)
def test_each_benchmark_has_the_same_tasks_as_in_metaworld(ours: tuple[str, ...], theirs: dict[str, Any]) -> None:
    assert sorted(ours) == sorted(theirs)


def test_train_tasks_are_train_tasks_and_test_tasks_are_held_out() -> None:
    """Upstream's ML1-train builds the test split."""
    own = ml10(engine="farama")
    assert own.task_names == lists.ML10_TRAIN
    assert own.held_out_suite().task_names == lists.ML10_TEST
    assert all(task.tags == ("test",) for task in own.held_out)


def test_a_seed_selects_the_start_even_seed_0() -> None:
    """Upstream ignores reset(seed=...), and takes seed 0 for none."""
    env, other = make_env("reach-v3", "v2", 0), make_env("reach-v3", "v2", 0)
    for seed in (0, 7, STARTS + 7):
        assert np.array_equal(env.reset(seed=seed)[0], other.reset(seed=seed)[0])
        assert start_of(env) == seed % STARTS
    assert len({start_of(env) for _ in range(30) if env.reset()}) > 10
    env.reset(seed=0)
    drawn = [start_of(env) for _ in range(8) if env.reset()]
    env.reset(seed=0)
    assert drawn == [start_of(env) for _ in range(8) if env.reset()]


def test_goal_seeds_draw_other_starts_and_the_same_again() -> None:
    first, again, other = (draw_starts(_raw("push-v3", "v2"), "push-v3", seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.unique(first, axis=0).shape == (STARTS, 6)


def test_copies_of_a_task_and_tasks_of_a_suite_have_different_starts() -> None:
    """Upstream hands one seed to all: every task draws the same number, every copy the same goal."""
    env = MultiTaskVectorEnv(farama("reach-v3", "push-v3"), 4)
    obs = env.split(env.reset(seed=0)[0])
    assert len(np.unique(goals(obs[0]), axis=0)) == 4
    rows: Any = env.engine
    numbers = [start_of(row.env) for row in rows._rows]
    assert numbers[:4] != numbers[4:]


def test_there_are_as_many_copies_as_requested() -> None:
    """Upstream swallows num_envs for its multi-task benchmarks."""
    assert MultiTaskVectorEnv(farama("reach-v3", "push-v3"), 3).num_envs == 6


def test_no_global_state_is_touched() -> None:
    before = pickle.dumps(np.random.get_state())  # noqa: NPY002
    _STARTS.clear()
    env = MultiTaskVectorEnv(farama("pick-place-v3"), 2)
    env.reset(seed=0)
    env.step(np.ones((2, 4)))
    assert pickle.dumps(np.random.get_state()) == before  # noqa: NPY002
    assert metaworld._N_GOALS == 50


def test_the_goal_is_observed_and_the_space_contains_the_observations() -> None:
    """Upstream's space says that the goal is always zero."""
    env = make_env("reach-v3", "v2", 0)
    obs, _ = env.reset(seed=3)
    assert goals(obs) == pytest.approx(env.unwrapped._target_pos)
    for _ in range(5):
        assert env.observation_space.contains(obs)
        obs, *_ = env.step(np.array([1.0, -1.0, 0.3, 1.0], dtype=np.float32))
    assert goals(obs).any()


def expert_episode(name: str) -> tuple[list[float], list[bool], list[bool]]:
    """Return success, terminated and truncated at each step of an expert's episode."""
    env, policy = make_env(name, "v2", 0), ENV_POLICY_MAP[name]()
    obs, _ = env.reset(seed=1)
    steps = []
    while not steps or not steps[-1][2]:
        obs, _, terminated, truncated, info = env.step(np.clip(policy.get_action(obs), -1, 1).astype(np.float32))
        steps.append((info["success"], terminated, truncated))
    success, terminated_, truncated_ = zip(*steps, strict=True)
    return list(success), list(terminated_), list(truncated_)


@pytest.mark.filterwarnings("ignore:Constant:UserWarning")
def test_an_episode_lasts_500_steps_and_continues_after_success() -> None:
    """Upstream's ML1-train terminates on success."""
    success, terminated, truncated = expert_episode("drawer-close-v3")
    assert len(success) == 500
    assert max(success[:200]) == 1.0
    assert not any(terminated)
    assert truncated == [False] * 499 + [True]


@pytest.mark.parametrize("name", lists.MT10)
def test_starts_are_those_that_the_simulated_resets_accept(name: str) -> None:
    """Upstream simulates every reset to draw its goals; leaving that out must not change which draws it takes."""
    env: Any = _raw(name, "v2")
    env.np_random = np.random.default_rng([5, zlib.crc32(name.encode())])
    env.seeded_rand_vec, env._freeze_rand_vec, env._set_task_called = True, False, True
    drawn = []
    for _ in range(4):
        env.reset_model()
        drawn.append(env._last_rand_vec.copy())
    assert np.array_equal(drawn, draw_starts(_raw(name, "v2"), name, 5)[:4])


@pytest.mark.parametrize("name", lists.MT10)
def test_the_environment_that_drew_the_starts_steps_like_any_other(name: str) -> None:
    _STARTS.clear()
    drew, other = make_env(name, "v2", 3), make_env(name, "v2", 3)
    generator = np.random.default_rng(0)
    for seed in (4, 9):
        assert np.array_equal(drew.reset(seed=seed)[0], other.reset(seed=seed)[0])
        for _ in range(20):
            action = generator.uniform(-1, 1, 4).astype(np.float32)
            first, second = drew.step(action), other.step(action)
            assert np.array_equal(first[0], second[0])
            assert first[1] == second[1]


def test_both_rewards_exist_and_are_recorded() -> None:
    first, second = (make_env("pick-place-v3", version, 0) for version in ("v2", "v1"))
    rewards = []
    for env in (first, second):
        env.reset(seed=0)
        rewards.append(env.step(np.array([0, 0, -1, 0], dtype=np.float32))[1])
    assert rewards[0] != rewards[1]
    assert mt10(engine="farama", reward_version="v1").facts["reward_version"] == "v1"
    assert mt10(engine="farama").facts["reward_version"] == "v2"


def test_facts_name_what_a_score_depends_on() -> None:
    facts = make_suite("metaworld/MT10", engine="farama", goal_seed=4).facts
    assert (facts["horizon"], facts["goals_per_task"], facts["goal_seed"]) == (500, 50, 4)
    assert facts["training_engines"] == dict.fromkeys(lists.MT10, "farama")
    assert facts["scoring_engine"] == "farama"
    assert facts["versions"]["mujoco"] == metadata.version("mujoco")
    assert facts["versions"]["metaworld"] == metadata.version("metaworld")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: make_suite("metaworld/MT1:reech-v3"), "there is no such task.*Did you mean 'reach-v3'"),
        (lambda: make_suite("metaworld/MT10:reach-v3"), "takes no argument after a colon"),
        (lambda: make_suite("metaworld/MT10", engine="envpol"), "auto, farama and envpool. Did you mean 'envpool'"),
        (lambda: make_suite("metaworld/MT10", reward_version="v3"), "v2 and v1"),
        (lambda: make_suite("metaworld/MT10", engine="envpool", reward_version="v1"), "use --engine farama"),
    ],
)
def test_what_does_not_exist_is_refused_in_words(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        make()


def test_one_task_may_be_named_without_its_version() -> None:
    assert mt1("reach", engine="farama").task_names == ("reach-v3",)


def test_the_fast_engine_is_used_if_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for found, engine in ((object(), "envpool"), (None, "farama")):
        monkeypatch.setattr(importlib.util, "find_spec", lambda _, found=found: found)
        assert mt1("reach").facts["training_engines"] == {"reach-v3": engine}
        assert (mt1("reach").simulator is None) == (engine == "farama")
        own = mt1("reach", reward_version="v1")
        assert own.simulator is None
        assert own.facts["training_engines"] == {"reach-v3": "farama"}


def test_a_missing_metaworld_is_reported_with_its_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "metaworld", None)
    with pytest.raises(SuiteError, match=r"metaworld is not installed.*pip install -e '.\[metaworld\]'"):
        farama().tasks[0].make_env()


def test_a_mujoco_that_metaworld_does_not_allow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    own = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "4.0.0" if name == "mujoco" else own(name))
    with pytest.raises(SuiteError, match=r"requires mujoco==3.3.0, but mujoco is 4.0.0"):
        farama().tasks[0].make_env()


def test_environments_are_made_again_from_a_pickle() -> None:
    """Tasks travel to worker processes."""
    task = pickle.loads(pickle.dumps(farama().tasks[0]))
    assert np.array_equal(task.make_env().reset(seed=2)[0], farama().tasks[0].make_env().reset(seed=2)[0])


def test_a_picture_is_turned_the_right_way_up(monkeypatch: pytest.MonkeyPatch) -> None:
    env = make_env("reach-v3", "v2", 0)
    seen = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    monkeypatch.setattr(env.env, "render", lambda: seen)
    turned = env.render()
    assert turned[0, 0].tolist() == seen[1, 2].tolist()
    assert turned[1, 2].tolist() == seen[0, 0].tolist()
