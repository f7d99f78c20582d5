"""The picture of learning curves: read from metrics.csv, one panel a task."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from mtrl.gathering.curves import Curve
from mtrl.pictures.learning_curves import curves_by_group, learning_curves, task_curves
from mtrl.tracking.run_log import RunLog
from tests.mtrl.tracking.test_run_log import events_of

BLUE = (31, 95, 168)


def test_curves_are_success_where_a_task_says_it_and_return_where_none_does(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        log.scalars(10, {"eval/success_rate/a": 0.0, "eval/success_rate/b": math.nan, "eval/return/b": 1.0})
        log.scalars(20, {"eval/success_rate/a": 0.5, "eval/success_rate": 0.5})
    words, curves = task_curves(tmp_path / "metrics.csv", ["a", "b"])
    assert (words, points(curves["a"]), curves["b"]) == ("success", [(10, 0.0), (20, 0.5)], None)
    words, curves = task_curves(tmp_path / "metrics.csv", ["b"])
    assert (words, points(curves["b"])) == ("return", [(10, 1.0)])
    assert task_curves(tmp_path / "metrics.csv", ["none"]) == ("return", {"none": None})


def points(curve: Curve | None) -> list[tuple[int, float]]:
    assert curve is not None
    return list(zip(curve.steps.tolist(), curve.values.tolist(), strict=True))


def level(first: float, last: float) -> Curve:
    return Curve(np.array([0, 100]), np.array([first, last]))


def rows_of_blue(picture: np.ndarray) -> np.ndarray:
    return np.flatnonzero((picture == np.array(BLUE)).all(axis=2).any(axis=1))


def test_a_curve_at_one_is_drawn_above_one_at_zero_and_the_picture_fits_a_card() -> None:
    high = learning_curves({"a": level(1.0, 1.0)}, "success")
    low = learning_curves({"a": level(0.0, 0.0)}, "success")
    assert high.dtype == np.uint8
    assert high.shape == low.shape
    assert rows_of_blue(high).max() < rows_of_blue(low).min()
    many = learning_curves({f"task {k}": level(0.0, 1.0) for k in range(50)}, "success")
    assert high.shape[1] == many.shape[1] == 320
    assert many.shape[0] > 1000


def test_a_task_without_a_point_has_an_empty_panel() -> None:
    assert len(rows_of_blue(learning_curves({"a": None, "b": None}, "return"))) == 0


def test_the_curve_of_a_group_is_the_mean_over_its_tasks_that_have_one() -> None:
    curves = {"a": level(0.0, 1.0), "b": level(0.5, 0.5), "c": None, "d": None}
    assert curves_by_group(curves, {}) == curves
    means = curves_by_group(curves, {"open": ["a", "b", "c"], "shut": ["d"]})
    assert points(means["open"]) == [(0, 0.25), (100, 0.75)]
    assert means["shut"] is None


def test_names_that_begin_alike_stay_different() -> None:
    long = "a-very-long-name-of-a-task-that-is-to-"
    one, other = (learning_curves({f"{long}{end}": None}, "success") for end in ("open", "shut"))
    assert (one != other).any()


def test_a_run_ends_with_its_curves(finished: Path) -> None:
    (picture,) = events_of(finished / "tabletop" / "care" / "seed0").Images("viz/curves")
    assert (picture.step, picture.width) == (256, 320)
