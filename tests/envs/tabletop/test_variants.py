"""How the words of a variant change its task: sentence, numbers, lengths, and a mirrored table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs.tabletop.physics import handle_of
from envs.tabletop.simulator import TabletopSimulator
from envs.tabletop.tasks import TASKS, TabletopTask
from envs.tabletop.variants import SKILLS, Variant

MIRROR = np.ones(15)
MIRROR[[0, 4, 6, 9, 11, 13]] = -1.0
OPEN, SHUT = -1.0, 1.0


def started(*tasks: TabletopTask) -> TabletopSimulator:
    """Return rows that all start from the middle of every range."""
    simulator = TabletopSimulator(tasks)
    simulator.begin(np.arange(len(tasks)), np.full((len(tasks), 7), 0.5))
    return simulator


@pytest.mark.parametrize("own", TASKS, ids=lambda task: task.name)
def test_without_words_it_is_the_skills_own_task(own: TabletopTask) -> None:
    assert Variant(own.name).task() == replace(own, sentence=Variant(own.name).sentence)


def test_there_is_a_pattern_for_each_task() -> None:
    assert list(SKILLS) == [task.name for task in TASKS]


def test_a_sentence_and_a_name_follow_from_the_words() -> None:
    variant = Variant("push", size="large", weight="heavy", pace="slow", zone="far-left")
    assert variant.name == "push-large-heavy-slow-far-left"
    assert variant.sentence == "Push the large heavy puck into the far left zone, with a slow hand."
    assert Variant("window-open", size="small", side="left-hand").sentence == "Slide the small left-hand window open."


def test_the_words_are_numbers_too() -> None:
    numbers = Variant("drawer-close", size="large", weight="heavy").numbers
    assert numbers == {
        "body": 1,
        "grip": 0,
        "way": -1,
        "size": 1.3,
        "weight": 0.4,
        "spring": 0,
        "side": 1,
        "pace": 1,
        "zone": 0,
    }
    assert [Variant(name).numbers[key] for name, key in [("reach", "body"), ("peg-insert", "way")]] == [0, 0]


def test_a_larger_drawer_has_proportionally_longer_travel() -> None:
    own, large = Variant("drawer-open").task(), Variant("drawer-open", size="large").task()
    assert (large.scene.travel, large.target) == (pytest.approx(0.52), pytest.approx(0.52))
    assert large.start == (pytest.approx(0.195), pytest.approx(0.325))
    assert large.tolerance == own.tolerance


def test_a_spring_is_added_to_the_bodys_own() -> None:
    assert Variant("button-press", spring="springy").task().scene.spring == pytest.approx(0.26)


def test_a_zone_is_one_position_and_is_not_observed() -> None:
    table = started(Variant("push", zone="left").task())
    assert table.state.goal[0].tolist() == [-0.5, 0.65]
    assert table.observe()[0, [9, 10, 13, 14]].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(("pace", "motion"), [("", 0.08), ("slow", 0.048), ("fast", 0.112)])
def test_the_pace_is_the_hands_motion_per_step(pace: str, motion: float) -> None:
    table = started(Variant("reach", pace=pace).task())
    before = table.state.hand[0].copy()
    table.step(np.array([[0.0, 1.0, OPEN]]))
    assert (table.state.hand[0] - before).tolist() == pytest.approx([0.0, motion])


def test_a_heavy_body_moves_by_part_of_a_push_and_the_hand_stops_at_it() -> None:
    moved = []
    for weight in ("", "heavy"):
        table = started(Variant("push", weight=weight).task())
        table.state.base[0], table.state.hand[0] = (0.0, 0.0), (0.0, -0.13)
        table.step(np.array([[0.0, 0.5, OPEN]]))  # 0.04, in two halves
        moved.append(float(table.state.base[0, 1]))
        assert table.state.hand[0, 1] == pytest.approx(moved[-1] - 0.13, abs=1e-6)
    assert moved[0] == pytest.approx(0.04, abs=1e-6)
    assert moved[1] == pytest.approx(0.6 * 0.04, abs=1e-6)


def test_a_heavy_body_that_is_held_slows_the_hand() -> None:
    table = started(Variant("drawer-open", weight="heavy").task())
    table.state.hand[0] = handle_of(table.world, table.state)[0] + (0.0, -0.1)
    table.state.offset[0], table.state.holding[0], table.state.aperture[0] = (0.0, -0.1), True, 0.0
    before = table.state.hand[0, 1]
    table.step(np.array([[0.0, -0.5, SHUT]]))
    assert table.state.hand[0, 1] - before == pytest.approx(-0.6 * 0.04)


@pytest.mark.parametrize("skill", ["door-open", "peg-insert", "window-close"])
def test_a_mirrored_task_is_the_other_seen_in_a_mirror(skill: str) -> None:
    own, mirrored = started(Variant(skill).task()), started(Variant(skill, side="left-hand").task())
    generator = np.random.default_rng(0)
    np.testing.assert_array_equal(mirrored.observe(), own.observe() * MIRROR)
    for _ in range(50):
        action = generator.uniform(-1, 1, (1, 3)) + np.array([0.1, 0.4, 0.0])
        one, other = own.step(action), mirrored.step(action * [-1, 1, 1])
        np.testing.assert_array_equal(other.obs, one.obs * MIRROR)
        assert (one.reward, one.success) == (other.reward, other.success)


def test_its_picture_is_mirrored_too() -> None:
    own, other = (started(Variant("door-open", side=side).task()).render([0])[0] for side in ("", "left-hand"))
    np.testing.assert_array_equal(own, other[:, ::-1])
