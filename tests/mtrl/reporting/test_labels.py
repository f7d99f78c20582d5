"""Names beside points: none covers another or a point, all are within the chart, and each is as near as it can be."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mtrl.reporting.labels import LEADS_FROM, lead, place_labels

INSIDE = np.array([0.0, 0.0, 270.0, 200.0])
NONE = np.empty((0, 4))


def around(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points - 3, points + 3], axis=1)


def apart(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.any(one[2:] <= other[:2] + 1e-9) or np.any(other[2:] <= one[:2] + 1e-9))


def test_a_name_that_is_alone_stands_to_the_right_without_a_line() -> None:
    point = np.array([[100.0, 100.0]])
    ((box, led),) = place_labels(point, np.array([[40.0, 10.0]]), INSIDE, around(point), NONE)
    assert box == pytest.approx([105.0, 95.0, 145.0, 105.0])
    assert not led


@pytest.mark.parametrize("x", [2.0, 268.0])
def test_a_name_at_an_edge_stands_inside(x: float) -> None:
    point = np.array([[x, 198.0]])
    ((box, _),) = place_labels(point, np.array([[90.0, 10.0]]), INSIDE, around(point), NONE)
    assert np.all(box[:2] >= INSIDE[:2])
    assert np.all(box[2:] <= INSIDE[2:])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spread", [4.0, 15.0, 80.0])
def test_fifteen_names_cover_neither_each_other_nor_a_point(seed: int, spread: float) -> None:
    """Spread 4: all points within a name's width."""
    draws = np.random.default_rng(seed)
    points = np.clip(draws.normal([135.0, 100.0], spread, (15, 2)), 5.0, [265.0, 195.0])
    sizes = np.stack([draws.uniform(20.0, 100.0, 15), np.full(15, 11.0)], axis=1)
    boxes = [place.box for place in place_labels(points, sizes, INSIDE, around(points), NONE)]
    assert all(apart(one, other) for one, other in combinations(boxes, 2))
    assert all(apart(box, point) for box in boxes for point in around(points))
    assert all(np.all(box[:2] >= -1e-9) and np.all(box[2:] <= INSIDE[2:] + 1e-9) for box in boxes)


def test_a_name_keeps_off_a_line_where_there_is_as_good_a_place() -> None:
    point = np.array([[100.0, 100.0]])
    front = np.array([[103.0, 99.5, 270.0, 100.5]])
    ((box, _),) = place_labels(point, np.array([[40.0, 10.0]]), INSIDE, around(point), front)
    assert apart(box, front[0])


def test_a_line_leads_to_a_name_that_stands_off() -> None:
    points = np.array([[100.0, 100.0], [101.0, 100.0]])
    blocked = np.array([[60.0, 60.0, 140.0, 140.0]])  # as if all the room around them were taken
    for (box, led), point in zip(
        place_labels(points, np.full((2, 2), 10.0), INSIDE, blocked, NONE), points, strict=True
    ):
        assert led
        end = lead(point, box)
        assert np.linalg.norm(end - point) > LEADS_FROM
        assert np.all(end >= box[:2])
        assert np.all(end <= box[2:])
