"""The suites of docs/results/relatedness.py: twins are one task, opposites move against the action."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from envs.tabletop.variants import Variant
from tests.docs.conftest import module_at


@pytest.fixture(scope="module", name="suites")
def _suites() -> ModuleType:
    return module_at("docs/results/relatedness.py")


def moved(task: object, action: list[float]) -> np.ndarray:
    """Where the hand goes from the start of seed 3 in one step."""
    env = task.make_env()  # type: ignore[attr-defined]
    before, _ = env.reset(seed=3)
    return env.step(np.array(action))[0][:2] - before[:2]


def test_twins_are_the_skills_own_task_under_other_names(suites: ModuleType) -> None:
    assert suites.push_twins.task_names == ("push-1", "push-2", "push-3", "push-4", "push-5")
    assert set(suites.push_twins.descriptions) == {Variant("push").sentence}
    first, *others = [moved(task, [0.5, 0.25, 0.0]) for task in suites.door_open_twins.tasks]
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_every_second_opposite_moves_the_other_way_and_says_so(suites: ModuleType) -> None:
    ways = [moved(task, [0.5, 0.25, 0.0]) for task in suites.push_opposites.tasks]
    for k, way in enumerate(ways):
        np.testing.assert_allclose(way, (-1) ** k * ways[0], atol=1e-6)
    said = ["the other way" in sentence for sentence in suites.push_opposites.descriptions]
    assert said == [False, True, False, True, False]
    assert [task.parameters["hand"] for task in suites.push_opposites.tasks] == [1.0, -1.0, 1.0, -1.0, 1.0]
