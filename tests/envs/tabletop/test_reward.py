"""The reward by hand: .15 for the hand's position, .15 for holding, .3 for the way done, 1 if solved."""

from __future__ import annotations

from math import hypot, tanh
from typing import Any

import numpy as np
import pytest

from envs.tabletop.reward import reward_and_success
from envs.tabletop.simulator import TabletopSimulator
from envs.tabletop.tasks import BY_NAME


def reward_in(name: str, **state: Any) -> tuple[float, bool]:
    """Return the reward and success of one row in a given state."""
    simulator = TabletopSimulator([BY_NAME[name]])
    simulator.begin(np.zeros(1, dtype=int), np.full((1, 7), 0.5))
    for field, value in state.items():
        getattr(simulator.state, field)[0] = value
    reward, success = reward_and_success(simulator.world, simulator.state)
    return float(reward[0]), bool(success[0])


# Each hand is where it must be, and half of the way is done: only holding differs.
PUCK = {"base": (0.0, 0.0), "goal": (0.0, 0.5), "start_distance": 1.0}
PEG = {"base": (0.4, 0.4), "goal": (0.7, 0.4), "start_distance": 0.36}  # the tip is 0.18 before the goal
DOOR = {"base": (0.0, 0.5), "displacement": 0.65, "start_distance": 1.3}
DRAWER = {"base": (0.0, 0.7), "displacement": 0.2, "start_distance": 0.4}
WINDOW = {"base": (0.0, 0.5), "displacement": 0.25, "start_distance": 0.5}
AT_HANDLE = {"base": (0.0, 0.7), "hand": (0.0, 0.561)}  # in front of a drawer that is almost shut
SHUT = {"base": (0.0, 0.7), "displacement": 0.0}
DOOR_HANDLE = (0.42 * np.cos(0.65), 0.5 - 0.42 * np.sin(0.65))


@pytest.mark.parametrize(
    ("name", "state", "expected"),
    [
        ("push", {**PUCK, "hand": (0.0, -0.13)}, 0.45),
        ("pick-place", {**PUCK, "hand": (0.0, -0.13)}, 0.30),
        ("pick-place", {**PUCK, "hand": (0.13, 0.0)}, 0.30),  # from any side
        ("pick-place", {**PUCK, "hand": (0.0, -0.13), "holding": True}, 0.45),
        ("peg-insert", {**PEG, "hand": (0.34, 0.31)}, 0.30),
        ("peg-insert", {**PEG, "hand": (0.34, 0.31), "holding": True}, 0.45),
        ("door-open", {**DOOR, "hand": DOOR_HANDLE}, 0.30),
        ("drawer-open", {**DRAWER, "hand": (0.0, 0.4), "holding": True}, 0.45),
        ("drawer-close", {**DRAWER, "hand": (0.0, 0.4)}, 0.45),  # in front, so as to push it in
        ("window-open", {**WINDOW, "hand": (0.15, 0.5)}, 0.45),  # on the left, so as to push it right
        ("window-close", {**WINDOW, "hand": (0.35, 0.5)}, 0.45),
        (
            "button-press",
            {"base": (0, 0.6), "displacement": 0.06, "start_distance": 0.12, "hand": (0, 0.56)},
            0.45,
        ),
    ],
)
def test_a_hand_in_position_and_half_the_way(name: str, state: dict[str, Any], expected: float) -> None:
    assert reward_in(name, **state) == (pytest.approx(expected, abs=1e-6), False)


def test_the_hands_distance_counts_with_two_slopes() -> None:
    near = 1 - 0.5 * (tanh(1.0) + tanh(6.0))
    reach = reward_in("reach", hand=(0.0, -0.5), goal=(0.0, 0.5), start_distance=1.0)
    assert reach == (pytest.approx(0.3 * near), False)
    wrong_side = 1 - 0.5 * (tanh(0.26) + tanh(6 * 0.26))
    assert reward_in("push", **PUCK, hand=(0.0, 0.13))[0] == pytest.approx(0.3 * wrong_side + 0.15)


def test_a_distance_beyond_the_first_earns_nothing_for_the_way() -> None:
    reward, _ = reward_in("push", **{**PUCK, "start_distance": 0.2}, hand=(0.0, -0.13))
    assert reward == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "solved", "not_solved"),
    [
        ("reach", {"hand": (0.0, 0.431), "goal": (0.0, 0.5)}, {"hand": (0.0, 0.429), "goal": (0.0, 0.5)}),
        ("push", {"base": (0.0, 0.401), "goal": (0.0, 0.5)}, {"base": (0.0, 0.399), "goal": (0.0, 0.5)}),
        (
            "pick-place",
            {"base": (0.0, 0.421), "goal": (0.0, 0.5)},
            {"base": (0.0, 0.419), "goal": (0.0, 0.5)},
        ),
        (
            "peg-insert",
            {"base": (0.531, 0.4), "goal": (0.7, 0.4)},
            {"base": (0.529, 0.4), "goal": (0.7, 0.4)},
        ),
        ("door-open", {"displacement": 1.151}, {"displacement": 1.149}),
        ("drawer-open", {"displacement": 0.361}, {"displacement": 0.359}),
        ("drawer-close", {"displacement": 0.039, **AT_HANDLE}, {"displacement": 0.041, **AT_HANDLE}),
        ("drawer-close", {**SHUT, "hand": (0.079, 0.6)}, {**SHUT, "hand": (0.081, 0.6)}),
        ("button-press", {"displacement": 0.101}, {"displacement": 0.099}),
        ("window-open", {"displacement": 0.451}, {"displacement": 0.449}),
        ("window-close", {"displacement": 0.049}, {"displacement": 0.051}),
    ],
)
def test_solved_is_within_the_tolerance_and_pays_one(
    name: str, solved: dict[str, Any], not_solved: dict[str, Any]
) -> None:
    assert reward_in(name, **solved) == (1.0, True)
    reward, success = reward_in(name, **not_solved)
    assert not success
    assert reward <= 0.6 + 1e-9


@pytest.mark.parametrize(
    ("name", "distance"),
    [
        ("reach", 1.3),  # hand (0, -0.65), goal (0, 0.65)
        ("push", 0.7),  # puck (0, -0.05)
        ("peg-insert", hypot(0.855, 0.45)),  # tip (-0.13, -0.05), goal (0.725, 0.4)
        ("door-open", 1.3 - 0.025),
        ("drawer-open", 0.2),
        ("drawer-close", 0.2),
        ("button-press", 0.12),
        ("window-open", 0.25),
    ],
)
def test_an_episodes_start_distance_is_its_whole_way(name: str, distance: float) -> None:
    simulator = TabletopSimulator([BY_NAME[name]])
    simulator.begin(np.zeros(1, dtype=int), np.full((1, 7), 0.5))
    assert simulator.state.start_distance[0] == pytest.approx(distance)
