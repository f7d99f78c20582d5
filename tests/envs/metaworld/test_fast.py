"""The fast official environments are bit-identical to the official ones on all fifty tasks."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("metaworld")

from metaworld import ALL_V3_ENVIRONMENTS
from metaworld.policies import ENV_POLICY_MAP
from metaworld.utils import reward_utils
from scipy.spatial.transform import Rotation

from envs.metaworld import lists, make_env, stand_ins
from envs.metaworld.farama import _STARTS, MetaWorldEnv

STEPS = 120
pytestmark = pytest.mark.filterwarnings("ignore:Constant")  # of the scripted experts' actions, which are clipped here


def pair(name: str, reward_version: str = "v2") -> tuple[MetaWorldEnv, MetaWorldEnv]:
    """Make the official environment and ours of a task, with the same starts."""
    own = make_env(name, reward_version, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        official = ALL_V3_ENVIRONMENTS[name](reward_function_version=reward_version)
    return MetaWorldEnv(official, name, _STARTS[name, 0]), own


def bits(value: Any) -> Any:
    """Return everything that an environment returned, number by number as bytes."""
    if isinstance(value, dict):
        return {key: bits(own) for key, own in value.items()}
    return [bits(own) for own in value] if isinstance(value, tuple) else np.asarray(value, dtype=np.float64).tobytes()


@pytest.mark.parametrize("name", lists.MT50)
def test_every_number_of_random_and_of_expert_episodes_is_the_official_one(name: str) -> None:
    official, own = pair(name)
    assert type(own.unwrapped) is not type(official.unwrapped)
    generator = np.random.default_rng(0)
    for episode, policy in enumerate((None, ENV_POLICY_MAP[name](), ENV_POLICY_MAP[name]())):
        obs, info = official.reset(seed=episode)
        assert bits(own.reset(seed=episode)) == bits((obs, info))
        for step in range(STEPS):
            action = generator.uniform(-1, 1, 4) if policy is None else np.clip(policy.get_action(obs), -1, 1)
            theirs = official.step(action.astype(np.float32))
            assert bits(own.step(action.astype(np.float32))) == bits(theirs), f"episode {episode}, step {step}"
            obs = theirs[0]


@pytest.mark.parametrize("name", lists.MT10)
def test_the_older_reward_is_the_official_one_too(name: str) -> None:
    official, own = pair(name, "v1")
    policy = ENV_POLICY_MAP[name]()
    obs, _ = official.reset(seed=3)
    own.reset(seed=3)
    for _ in range(STEPS):
        action = np.clip(policy.get_action(obs), -1, 1).astype(np.float32)
        theirs = official.step(action)
        assert bits(own.step(action)) == bits(theirs)
        obs = theirs[0]


def test_an_episode_is_truncated_after_500_steps_and_not_stepped_beyond() -> None:
    official, own = pair("reach-v3")
    for env in (official, own):
        env.reset(seed=0)
        ends = [env.step(np.zeros(4, dtype=np.float32))[3] for _ in range(500)]
        assert ends == [False] * 499 + [True]
        with pytest.raises(ValueError, match="reset"):
            env.step(np.zeros(4, dtype=np.float32))


def test_metaworlds_own_modules_are_unchanged() -> None:
    make_env("push-v3", "v2", 0)
    module = __import__("sys").modules[ALL_V3_ENVIRONMENTS["push-v3"].__module__]
    assert module.np is np
    assert module.reward_utils is reward_utils
    assert module.Rotation is Rotation


def test_a_rotation_is_that_of_scipy_in_all_its_cases() -> None:
    generator = np.random.default_rng(0)
    for quaternion in generator.normal(size=(2_000, 4)) * generator.integers(0, 2, size=(2_000, 4)):
        if quaternion.any():
            matrix = Rotation.from_quat(quaternion).as_matrix()
            own, theirs = stand_ins.Rotation.from_matrix(matrix), Rotation.from_matrix(matrix)
            assert bits(own.as_quat()) == bits(theirs.as_quat())


def test_a_matrix_that_is_not_a_rotation_is_left_to_scipy() -> None:
    skewed = np.eye(3) + np.array([[0, 1e-3, 0], [0, 0, 0], [0, 0, 0]])
    assert bits(stand_ins.Rotation.from_matrix(skewed).as_quat()) == bits(Rotation.from_matrix(skewed).as_quat())
    with pytest.raises(ValueError, match="determinant"):
        stand_ins.Rotation.from_matrix(-np.eye(3))


@pytest.mark.parametrize("sigmoid", ["gaussian", "long_tail", "hyperbolic", "linear"])
@pytest.mark.parametrize("bounds", [(0.0, 0.05), (-0.1, 0.0), (0.02, 0.02)])
def test_a_tolerance_is_metaworlds(sigmoid: str, bounds: tuple[float, float]) -> None:
    for x in [*np.random.default_rng(0).normal(size=300), 0.0, 0.05, 0.02, -0.1]:
        for margin in (0.0, 0.1, np.float64(0.37)):
            for number in (np.float64(x), float(x)):
                own = stand_ins.tolerance(number, bounds=bounds, margin=margin, sigmoid=sigmoid)
                theirs = reward_utils.tolerance(number, bounds=bounds, margin=margin, sigmoid=sigmoid)
                assert bits(own) == bits(theirs)
                assert type(own) is type(theirs)


def test_what_metaworld_refuses_is_refused() -> None:
    with pytest.raises(ValueError, match="margin"):
        stand_ins.tolerance(0.1, (0.0, 0.05), -1.0)
    with pytest.raises(ValueError, match=r"[Ll]ower"):
        stand_ins.tolerance(0.1, (0.2, 0.1))


def test_a_norm_is_numpys() -> None:
    generator = np.random.default_rng(0)
    for x in (generator.normal(size=3), generator.normal(size=(2, 3)), generator.normal(), [1.0, 2.0]):
        assert bits(stand_ins.norm(x)) == bits(np.linalg.norm(x))
    vector = generator.normal(size=3)
    assert bits(stand_ins.norm(vector, ord=2)) == bits(np.linalg.norm(vector, ord=2))
    assert bits(stand_ins.norm(vector, 1)) == bits(np.linalg.norm(vector, 1))
    assert type(stand_ins.norm(vector)) is np.float64
