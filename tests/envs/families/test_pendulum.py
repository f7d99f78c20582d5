"""The pendulum's physics by hand: acceleration 3 g / (2 l) sin(angle) + 3 torque / (m l^2), steps of 0.05 s."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from envs.registry import make_suite
from envs.suite import Task


def task(suite: str, value: str) -> Task:
    return make_suite(f"{suite}:{value}").tasks[0]


def speed_after_one_step(env: gym.Env[Any, Any]) -> float:
    """Return the speed after a step with 1 N m from rest at 30 degrees off the top."""
    env.reset(seed=3)
    env.unwrapped.state = np.array([np.pi / 6, 0.0])  # type: ignore[attr-defined]
    return float(env.step(np.array([1.0]))[0][2])


@pytest.mark.parametrize(
    ("suite", "value", "speed"),
    [
        ("pendulum-gravity", "4", (6.0 * 0.5 + 3.0) * 0.05),
        ("pendulum-gravity", "12", (18.0 * 0.5 + 3.0) * 0.05),
        ("pendulum-gravity", "0", 3.0 * 0.05),
        ("pendulum-length", "0.5", (30.0 * 0.5 + 12.0) * 0.05),
        ("pendulum-length", "1.5", (10.0 * 0.5 + 4.0 / 3.0) * 0.05),
    ],
)
def test_one_step_by_hand_and_again_after_a_reset(suite: str, value: str, speed: float) -> None:
    env = task(suite, value).make_env()
    assert [speed_after_one_step(env) for _ in range(2)] == pytest.approx([speed, speed], abs=1e-6)


def test_pendulums_do_not_affect_each_other() -> None:
    makers = [
        *(task("pendulum-gravity", g) for g in ("4", "12")),
        *(task("pendulum-length", x) for x in ("0.5", "1.5")),
    ]
    alone = [speed_after_one_step(each.make_env()) for each in makers]
    envs = [each.make_env() for each in makers]
    plain = gym.make("Pendulum-v1").unwrapped
    assert [speed_after_one_step(env) for env in envs] == alone
    assert len(set(alone)) == 4
    assert (plain.g, plain.l) == (10.0, 1.0)  # type: ignore[attr-defined]


@pytest.mark.parametrize("suite", ["pendulum-gravity", "pendulum-length"])
def test_an_episode_lasts_gymnasiums_200_steps_and_reports_no_success(suite: str) -> None:
    env = make_suite(suite).tasks[0].make_env()
    env.reset(seed=0)
    steps = [env.step(np.zeros(1)) for _ in range(200)]
    assert [truncated for *_, truncated, _ in steps] == [False] * 199 + [True]
    assert not {"success", "is_success"} & set(steps[-1][4])
