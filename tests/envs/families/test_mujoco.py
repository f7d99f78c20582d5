"""The MuJoCo families: rewards by hand, the model's own fields, and environments that do not affect each other."""

from __future__ import annotations

import sys
from math import sqrt
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from envs.check import check_suite
from envs.errors import MissingExtra
from envs.families.mujoco import ForwardReplaced
from envs.registry import make_suite

mujoco = pytest.importorskip("mujoco")

Env = Any
USUAL = {"cheetah-gravity": "9.81", "hopper-mass": "1", "walker-friction": "1"}


def make(suite: str, value: object) -> Env:
    return make_suite(f"{suite}:{value}").tasks[0].make_env()


def play(env: Env, steps: int = 40, seed: int = 5) -> list[tuple[np.ndarray, float, dict[str, Any], np.ndarray]]:
    """Return the observation, reward, info and action of each step from a seeded reset."""
    generator = np.random.default_rng(seed)
    env.reset(seed=seed)
    seen = []
    for _ in range(steps):
        action = generator.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)
        obs, reward, terminated, _, info = env.step(action)
        seen.append((obs, reward, info, action))
        if terminated:
            break
    return seen


@pytest.mark.parametrize("target", [0.5, 3.0])
def test_the_cheetahs_reward_by_hand(target: float) -> None:
    env = make("cheetah-velocity", target)
    env.reset(seed=1)
    action = np.array([0.5, -0.5, 1.0, 0.0, 0.25, -1.0], np.float32)
    for _ in range(5):
        before = env.unwrapped.data.qpos[0]
        _, reward, _, _, info = env.step(action)
        velocity = (env.unwrapped.data.qpos[0] - before) / 0.05
        assert reward == pytest.approx(-abs(velocity - target) - 0.1 * 2.5625, abs=1e-7)  # the cost is float32
        assert info["reward_forward"] == pytest.approx(-abs(velocity - target), abs=1e-9)
        assert info["reward_ctrl"] == pytest.approx(-0.25625, abs=1e-7)


@pytest.mark.parametrize(("degrees", "x", "y"), [(0, 1.0, 0.0), (60, 0.5, sqrt(0.75)), (210, -sqrt(0.75), -0.5)])
def test_the_ants_reward_by_hand(degrees: int, x: float, y: float) -> None:
    env = make("ant-direction", degrees)
    env.reset(seed=1)
    data = env.unwrapped.data
    action = np.array([0.5, -0.5, 1.0, 0.0, 0.5, -1.0, 0.0, 0.5], np.float32)
    for _ in range(3):
        before = data.body(1).xpos[:2].copy()
        reward = env.step(action)[1]
        vx, vy = (data.body(1).xpos[:2] - before) / 0.05
        contact = 5e-4 * np.square(np.clip(data.cfrc_ext, -1.0, 1.0)).sum()
        assert reward == pytest.approx(x * vx + y * vy + 1.0 - 0.5 * 3.0 - contact, abs=1e-9)


@pytest.mark.parametrize("gravity", [4.0, 14.0])
def test_a_cheetah_in_the_air_falls_with_its_gravity(gravity: float) -> None:
    env = make("cheetah-gravity", gravity).unwrapped
    for _ in range(2):
        env.reset(seed=0)
        state = np.zeros(9)
        state[1] = 5.0  # m above the ground
        env.set_state(state, np.zeros(9))
        assert env.data.qacc[1] == pytest.approx(-gravity, abs=1e-6)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_hopper_has_the_mass_of_its_task(factor: float) -> None:
    env, usual = make("hopper-mass", factor).unwrapped, gym.make("Hopper-v5").unwrapped
    for _ in range(2):
        env.reset(seed=0)
        np.testing.assert_allclose(env.model.body_mass, factor * usual.model.body_mass)
        np.testing.assert_allclose(env.model.body_inertia, factor * usual.model.body_inertia)
        np.testing.assert_allclose(env.model.body_subtreemass, factor * usual.model.body_subtreemass)
        np.testing.assert_allclose(env.data.qM[0], factor * 15.8198, rtol=1e-4)  # kg, pushed along x


@pytest.mark.parametrize("factor", [0.4, 2.0])
def test_a_walkers_feet_slide_as_they_should(factor: float) -> None:
    env = make("walker-friction", factor).unwrapped
    usual = gym.make("Walker2d-v5").unwrapped
    for _ in range(2):
        env.reset(seed=0)
        np.testing.assert_allclose(env.model.geom_friction[:, 0], factor * usual.model.geom_friction[:, 0])
        np.testing.assert_array_equal(env.model.geom_friction[:, 1:], usual.model.geom_friction[:, 1:])
        for _ in range(12):
            env.step(np.zeros(6, np.float32))
        assert env.data.ncon > 0
        assert env.data.contact.friction[0, 0] == pytest.approx(1.9 * factor)  # of a foot on the floor


@pytest.mark.parametrize(
    ("suite", "id_"),
    [("cheetah-gravity", "HalfCheetah-v5"), ("hopper-mass", "Hopper-v5"), ("walker-friction", "Walker2d-v5")],
)
def test_the_usual_value_is_gymnasiums_own_environment(suite: str, id_: str) -> None:
    for (obs, reward, *_), (own_obs, own_reward, *_) in zip(
        play(make(suite, USUAL[suite])), play(gym.make(id_)), strict=True
    ):
        np.testing.assert_array_equal(obs, own_obs)
        assert reward == own_reward


def test_straight_ahead_is_gymnasiums_own_ant() -> None:
    own = play(gym.make("Ant-v5"))
    for (obs, reward, *_), (own_obs, own_reward, *_) in zip(play(make("ant-direction", 0)), own, strict=True):
        np.testing.assert_array_equal(obs, own_obs)
        assert reward == pytest.approx(own_reward, abs=1e-9)


@pytest.mark.parametrize("suite", [*USUAL, "cheetah-velocity", "ant-direction"])
def test_environments_of_a_family_do_not_affect_each_other(suite: str) -> None:
    first, *_, last = make_suite(suite).tasks
    alone = play(first.make_env())
    one, other = first.make_env(), last.make_env()
    play(other)
    together = play(one)
    others = play(other)
    assert [reward for _, reward, *_ in together] == [reward for _, reward, *_ in alone]
    assert [reward for _, reward, *_ in others] != [reward for _, reward, *_ in alone]


@pytest.mark.parametrize("suite", [*USUAL, "cheetah-velocity", "ant-direction"])
def test_an_episode_has_gymnasiums_limit_and_reports_no_success(suite: str) -> None:
    env = make_suite(suite).tasks[0].make_env()
    assert env.spec is not None
    assert env.spec.max_episode_steps == 1000
    assert not {"success", "is_success"} & set(play(env, 1)[0][2])


@pytest.mark.parametrize("suite", [*USUAL, "cheetah-velocity", "ant-direction"])
def test_only_the_missing_success_is_remarked_on(suite: str) -> None:
    own = make_suite(suite)
    for report in (*check_suite(own, 150), *check_suite(own.held_out_suite(), 150)):
        assert [remark for remark in report.remarks if "success" not in remark] == []


def test_own_reward_terms_stay_what_they_were() -> None:
    env = ForwardReplaced(gym.make("Hopper-v5"), lambda info: 7.0)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.full(3, 0.5, np.float32))
    assert info["reward_survive"] == 1.0
    assert reward == pytest.approx(7.0 + 1.0 - 1e-3 * 0.75)


@pytest.mark.parametrize(
    "suite", ["cheetah-velocity", "cheetah-gravity", "ant-direction", "hopper-mass", "walker-friction"]
)
def test_without_the_extra_its_install_command_is_reported(monkeypatch: pytest.MonkeyPatch, suite: str) -> None:
    monkeypatch.setitem(sys.modules, "mujoco", None)
    task = make_suite(suite).tasks[0]
    with pytest.raises(MissingExtra, match=r"^mujoco is not installed: pip install -e '\.\[mujoco\]'$"):
        task.make_env()
    with pytest.raises(MissingExtra):
        check_suite(make_suite(suite))
