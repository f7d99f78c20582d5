"""Contact by hand: each case is a scene set up with numbers, and the result of a push or pull."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs.tabletop.physics import handle_of, heading_of, middle_of
from envs.tabletop.simulator import TabletopSimulator
from envs.tabletop.tasks import BY_NAME, HAND_RADIUS, HOLE_TOLERANCE, TASKS
from envs.tabletop.world import dot

STAY, OPEN, SHUT = 0.0, -1.0, 1.0


def scene(name: str, **state: Any) -> TabletopSimulator:
    """Return a simulator with one row in a given state: hand, base, goal, displacement, ..."""
    simulator = TabletopSimulator([BY_NAME[name]])
    simulator.begin(np.zeros(1, dtype=int), np.full((1, 7), 0.5))
    for field, value in state.items():
        getattr(simulator.state, field)[0] = value
    return simulator


def act(simulator: TabletopSimulator, x: float, y: float, grip: float = STAY, times: int = 1) -> None:
    for _ in range(times):
        simulator.step(np.array([[x, y, grip]]))


def hand(simulator: TabletopSimulator) -> list[float]:
    return simulator.state.hand[0].tolist()


def base(simulator: TabletopSimulator) -> list[float]:
    return simulator.state.base[0].tolist()


def test_free_motion_is_eight_hundredths_per_step_and_axis() -> None:
    table = scene("reach", hand=(0.0, -0.6), base=(0.5, 0.1))
    act(table, 1.0, -0.5)
    assert hand(table) == pytest.approx([0.08, -0.64])
    act(table, 9.0, 0.0)  # beyond the bounds counts as the bound
    assert hand(table) == pytest.approx([0.16, -0.64])


def test_the_gripper_moves_a_quarter_per_step() -> None:
    table = scene("reach")
    act(table, 0, 0, SHUT)
    assert table.state.aperture[0] == pytest.approx(0.75)
    act(table, 0, 0, SHUT, times=9)
    assert table.state.aperture[0] == 0.0
    act(table, 0, 0, OPEN)
    assert table.state.aperture[0] == pytest.approx(0.25)


def test_a_puck_is_pushed_along_the_normal_and_the_hand_keeps_touching() -> None:
    contact = HAND_RADIUS + 0.07
    table = scene("push", hand=(0.0, -contact), base=(0.0, 0.0))
    act(table, 0.0, 1.0)
    assert base(table) == pytest.approx([0.0, 0.08], abs=1e-6)
    assert hand(table) == pytest.approx([0.0, 0.08 - contact], abs=1e-6)


def test_a_puck_hit_off_centre_goes_sideways() -> None:
    table = scene("push", hand=(-0.05, -0.11), base=(0.0, 0.0))
    act(table, 0.0, 1.0, times=3)
    assert base(table)[0] > 0.02


def test_a_drawer_moves_along_its_rail_only() -> None:
    table = scene("drawer-close", base=(0.0, 0.7), displacement=0.2, hand=(0.3, 0.7 - 0.2 - 0.1))
    act(table, 1.0, 0.0)  # along the front: no push
    assert table.state.displacement[0] == pytest.approx(0.2, abs=1e-6)
    act(table, 0.0, 1.0)
    assert table.state.displacement[0] == pytest.approx(0.12, abs=1e-6)
    assert base(table) == [0.0, 0.7]


def test_a_shut_drawer_blocks_the_hand() -> None:
    table = scene("drawer-close", base=(0.0, 0.7), displacement=0.0, hand=(0.0, 0.6))
    act(table, 0.0, 1.0, times=3)
    assert table.state.displacement[0] == 0.0
    assert hand(table) == pytest.approx([0.0, 0.7 - 0.04 - HAND_RADIUS], abs=1e-6)


def test_pushing_a_windows_handle_from_its_side_slides_it_and_from_below_does_not() -> None:
    table = scene("window-open", base=(-0.2, 0.5), displacement=0.25, hand=(0.05 - 0.1, 0.5))
    act(table, 1.0, 0.0)
    assert table.state.displacement[0] == pytest.approx(0.33, abs=1e-6)
    below = scene("window-open", base=(-0.2, 0.5), displacement=0.25, hand=(0.05, 0.5 - 0.1 - 0.1))
    act(below, 0.0, 1.0, times=2)
    assert below.state.displacement[0] == pytest.approx(0.25, abs=1e-6)
    assert hand(below) == pytest.approx([0.05, 0.3], abs=1e-6)


def test_a_button_is_sprung() -> None:
    table = scene("button-press", base=(0.0, 0.6), displacement=0.1, hand=(0.0, -0.6))
    act(table, 0.0, 0.0)
    assert table.state.displacement[0] == pytest.approx(0.08)


def test_a_held_door_turns_by_the_hands_motion_over_its_lever() -> None:
    table = scene("door-open", base=(0.0, 0.5), displacement=0.0, hand=(0.42, 0.41), aperture=0.5)
    act(table, 0.0, 0.0, SHUT)
    assert table.state.holding[0]
    act(table, 0.0, -0.5, SHUT)  # two half steps of 0.02 at a lever of 0.25 + 0.17
    first = 0.02 / 0.42
    assert table.state.displacement[0] == pytest.approx(first + 0.02 * np.cos(first) / 0.42, abs=1e-6)


def test_no_push_opens_a_shut_door() -> None:
    table = scene("door-open", base=(0.0, 0.5), displacement=0.0, hand=(0.42, 0.3))
    for x in (0.0, 1.0, -1.0):
        act(table, x, 1.0, times=30)
        assert table.state.displacement[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("name", "caught"), [("pick-place", True), ("push", False), ("reach", False)])
def test_a_closing_gripper_catches_what_is_graspable(name: str, caught: bool) -> None:
    table = scene(name, hand=(0.0, -0.14), base=(0.0, 0.0), aperture=0.5)
    act(table, 0.0, 0.0, SHUT)
    assert bool(table.state.holding[0]) == caught


@pytest.mark.parametrize(
    ("distance", "aperture", "caught"), [(0.15, 0.5, True), (0.17, 0.5, False), (0.15, 0.4, False)]
)
def test_catching_needs_touch_and_a_gripper_that_was_open(distance: float, aperture: float, caught: bool) -> None:
    table = scene("pick-place", hand=(0.0, -distance), base=(0.0, 0.0), aperture=aperture)
    act(table, 0.0, 0.0, SHUT)
    assert bool(table.state.holding[0]) == caught


def test_a_held_puck_moves_with_the_hand_until_the_gripper_opens() -> None:
    table = scene("pick-place", hand=(0.0, -0.14), base=(0.0, 0.0), aperture=0.5)
    act(table, 0.0, 0.0, SHUT)
    act(table, 1.0, -1.0, SHUT)
    assert base(table) == pytest.approx([0.08, -0.08])
    assert hand(table) == pytest.approx([0.08, -0.22])
    act(table, 0.0, -1.0, OPEN, times=3)
    assert not table.state.holding[0]
    assert base(table)[1] > -0.25


def test_only_a_held_puck_crosses_the_rim() -> None:
    pushed = scene("pick-place", hand=(0.0, -0.13), base=(0.0, 0.0))
    act(pushed, 0.0, 1.0, times=30)
    assert base(pushed)[1] == pytest.approx(0.35 - 0.07)
    held = scene("pick-place", hand=(0.0, -0.14), base=(0.0, 0.0), aperture=0.5)
    act(held, 0.0, 0.0, SHUT)
    act(held, 0.0, 1.0, SHUT, times=8)
    assert base(held)[1] == pytest.approx(0.64)


@pytest.mark.parametrize(
    ("offset", "held", "inside"),
    [(0.0, True, True), (HOLE_TOLERANCE * 0.9, True, True), (HOLE_TOLERANCE * 1.1, True, False), (0.0, False, False)],
)
def test_only_a_held_and_aligned_peg_enters_the_hole(offset: float, held: bool, inside: bool) -> None:
    """Goal (0.7, 0.4), depth 0.15: the box's face is at 0.55; the tip is 0.12 before the middle."""
    table = scene("peg-insert", goal=(0.7, 0.4), base=(0.4, 0.4 + offset))
    if held:
        handle = handle_of(table.world, table.state)[0]
        table.state.hand[0] = handle - [0.0, 0.09]
        table.state.offset[0] = [0.0, -0.09]
        table.state.holding[0], table.state.aperture[0] = True, 0.0
        act(table, 1.0, 0.0, SHUT, times=5)
    else:
        table.state.hand[0] = [0.4 - 0.12 - 0.09, 0.4]
        act(table, 1.0, 0.0, times=5)
    tip = base(table)[0] + 0.12
    assert tip == pytest.approx(0.7 if inside else 0.55, abs=1e-6)


def test_nothing_leaves_the_table_or_its_joint_and_bodies_hardly_overlap() -> None:
    simulator = TabletopSimulator(TASKS, 20)
    rows = np.arange(200)
    simulator.reset(rows, list(range(200)))
    generator = np.random.default_rng(0)
    world, state = simulator.world, simulator.state
    drift = np.zeros((200, 3))
    worst = 0.0
    for _ in range(300):
        drift = np.clip(0.9 * drift + 0.5 * generator.normal(size=drift.shape), -1, 1)
        simulator.step(drift)
        assert np.abs(state.hand).max() <= 1.0 + 1e-9
        assert np.abs(state.base[world.free]).max() <= 1.0
        assert (state.displacement >= 0).all()
        assert (state.displacement <= world.travel + 1e-9).all()
        heading = heading_of(world, state)
        apart = state.hand - middle_of(world, state, heading)
        along = np.clip(dot(apart, heading), -world.half_length, world.half_length)
        apart = apart - heading * along[:, None]
        overlap = HAND_RADIUS + world.radius - np.sqrt(dot(apart, apart))
        worst = max(worst, overlap[~state.holding & ~world.hand_is_tool].max())
    assert worst < 0.07


@pytest.mark.parametrize("name", ["pick-place", "door-open", "drawer-open", "peg-insert"])
def test_tasks_that_need_a_grip_are_not_solved_by_pushing(name: str) -> None:
    """300 hands with open grippers push at the body from every side, 500 steps each, without a time limit."""
    simulator = TabletopSimulator([BY_NAME[name]], 300)
    obs = simulator.reset(np.arange(300), list(range(300)))
    generator = np.random.default_rng(0)
    for step in range(500):
        if step % 8 == 0:
            aim = generator.normal(scale=0.25, size=(300, 2))
        towards = (obs[:, 4:6] + aim - obs[:, 0:2]) / 0.08
        obs, _, _, _, success, _ = simulator.step(np.concatenate([towards, np.full((300, 1), OPEN)], axis=1))
        assert not success.any()
