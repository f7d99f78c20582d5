"""The simulator's observation, column by column, and what a new episode resets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs.tabletop.simulator import TabletopSimulator
from envs.tabletop.tasks import BY_NAME, HORIZON


def started(*names: str, copies: int = 1) -> TabletopSimulator:
    """Return a simulator whose rows all start from the middle of every range."""
    simulator = TabletopSimulator([BY_NAME[name] for name in names], copies)
    rows = np.arange(len(names) * copies)
    simulator.begin(rows, np.full((len(rows), 7), 0.5))
    return simulator


def observed(name: str, **state: Any) -> np.ndarray:
    simulator = started(name)
    for field, value in state.items():
        getattr(simulator.state, field)[0] = value
    return simulator.observe()[0]


def test_a_pucks_observation_by_hand() -> None:
    obs = observed("push", hand=(0.1, -0.2), aperture=0.75, base=(0.3, 0.1), goal=(-0.2, 0.6))
    expected = [0.1, -0.2, 0.5, 0, 0.3, 0.1, 0, 0, 0, -0.2, 0.6, 0.2, 0.3, -0.5, 0.5]
    np.testing.assert_allclose(obs, expected, atol=1e-6)
    assert obs.dtype == np.float32


def test_a_doors_observation_by_hand() -> None:
    state = {"hand": (0.1, 0.2), "base": (0.0, 0.5), "displacement": 0.3, "aperture": 0.0, "holding": True}
    obs = observed("door-open", **state)
    heading = np.array([np.cos(0.3), -np.sin(0.3)])
    handle = [0.0, 0.5] + 0.42 * heading
    expected = [0.1, 0.2, -1, 1, *handle, *heading, 0.3 / 1.3, 0, 0, *(handle - [0.1, 0.2]), 0, 0]
    np.testing.assert_allclose(obs, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["door-open", "drawer-open", "drawer-close", "button-press", "window-close"])
def test_without_a_drawn_goal_its_columns_are_zero(name: str) -> None:
    obs = started(name).observe()[0]
    assert obs[[9, 10, 13, 14]].tolist() == [0, 0, 0, 0]


def test_a_new_episode_resets_its_row_and_no_other() -> None:
    simulator = started("pick-place", copies=2)
    fresh = simulator.observe()[0].copy()
    simulator.state.hand[:] = simulator.state.base - [0.0, 0.14]
    for _ in range(3):
        step = simulator.step(np.array([[0.0, 0.0, 1.0]] * 2))
    assert step.obs[:, 3].tolist() == [1, 1]
    simulator.begin(np.array([0]), np.full((1, 7), 0.5))
    np.testing.assert_array_equal(simulator.observe(), [fresh, step.obs[1]])
    assert simulator.state.age.tolist() == [0, 3]


def test_each_row_is_truncated_by_its_own_age() -> None:
    simulator = started("reach", copies=2)
    stay = np.zeros((2, 3))
    for _ in range(40):
        simulator.step(stay)
    simulator.begin(np.array([0]), np.full((1, 7), 0.5))
    truncated = np.array([simulator.step(stay).truncated for _ in range(HORIZON)])
    assert truncated.argmax(axis=0).tolist() == [HORIZON - 1, HORIZON - 40 - 1]
    assert truncated[-1, 0]


def test_a_seed_restarts_its_rows_generator_and_none_continues_it() -> None:
    simulator = TabletopSimulator([BY_NAME["push"]], 2)
    rows = np.arange(2)
    first = simulator.reset(rows, [1, 2])
    second = simulator.reset(rows, [None, 2])
    assert not np.array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    np.testing.assert_array_equal(simulator.reset(rows[:1], [1])[0], first[0])
    np.testing.assert_array_equal(simulator.reset(rows[:1], [None])[0], second[0])
