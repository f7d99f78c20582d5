"""Many tasks by their groups: which are gathered, and the means that stand for them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from envs.registry import make_suite
from mtrl.scoring.many_tasks import FEW, by_group, groups_of, table_by_group

GROUPS = {"open": ["a", "c"], "shut": ["b"]}


def of(tasks: int) -> dict[str, str]:
    return {f"task-{k}": ("open", "shut")[k % 2] for k in range(tasks)}


def test_many_tasks_that_all_have_a_group_are_gathered_and_others_are_not() -> None:
    assert by_group(of(FEW)) == {}
    found = by_group(of(FEW + 1))
    assert [len(own) for own in found.values()] == [11, 10]
    assert found["shut"][:2] == ["task-1", "task-3"]
    assert by_group(of(FEW + 1) | {"task-3": ""}) == {}


def test_the_fifty_are_gathered_by_skill_and_the_ten_are_not() -> None:
    groups = groups_of(make_suite("tabletop-50"))
    assert [len(own) for own in groups.values()] == [5] * 10
    assert groups["reach"][0] == "reach"
    assert groups_of(make_suite("tabletop")) == {}


def test_a_table_by_group_holds_means_over_the_groups_tasks() -> None:
    values = np.array([[0.0, 1.0], [0.5, 0.5], [0.5, math.nan]])
    means, rows, columns = table_by_group(values, ["a", "b", "c"], ["enc 1", "enc 2"], GROUPS)
    assert (rows, columns) == (("open", "shut"), ("enc 1", "enc 2"))
    assert means.tolist() == [[0.25, 1.0], [0.5, 0.5]]


def test_tasks_beside_tasks_are_gathered_both_ways_and_none_stands_beside_itself() -> None:
    """Of ``open``: a with c; of ``open`` and ``shut``: a and c with b; ``shut`` is b alone."""
    values = np.array([[1.0, 0.2, -0.5], [0.2, 1.0, 0.4], [-0.5, 0.4, 1.0]])
    means, rows, columns = table_by_group(values, ["a", "b", "c"], ["a", "b", "c"], GROUPS)
    assert rows == columns == ("open", "shut")
    assert means == pytest.approx(np.array([[-0.5, 0.3], [0.3, math.nan]]), nan_ok=True)


@pytest.mark.parametrize("groups", [{}, {"open": ["a"]}])
def test_a_table_of_other_rows_stays(groups: dict[str, list[str]]) -> None:
    values = np.eye(2)
    assert table_by_group(values, ["a", "b"], ["x", "y"], groups) == (values, ("a", "b"), ("x", "y"))
