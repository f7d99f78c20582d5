"""Diagnostics read back: averaged where known, put into words that follow from the numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from mtrl.reporting import insight
from mtrl.reporting.insight import Table

NAMES = ("a", "b", "c")


def cosines(ab: float, ac: float, bc: float) -> Table:
    return Table(NAMES, NAMES, np.array([[1.0, ab, ac], [ab, 1.0, bc], [ac, bc, 1.0]]))


def test_tables_are_read_in_order_by_name_and_a_damaged_line_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        json.dumps({"step": 10, "name": "x", "rows": ["a"], "columns": ["1"], "values": [[0.5]]}),
        json.dumps({"step": 20, "name": "x", "rows": ["a", "b"], "columns": ["1"], "values": [[0.5]]}),
        json.dumps({"step": 20, "name": "y", "rows": ["a"], "columns": ["1"], "values": [[1.0]]}),
        json.dumps({"step": 30, "name": "x", "rows": ["a"], "columns": ["1"], "values": [[math.nan]]}),
        '{"step": 40, "name": "x", "ro',
    ]
    (tmp_path / "matrices.jsonl").write_text("\n".join(lines))
    tables = insight.read_tables(tmp_path)
    assert [(step, table.lines) for step, table in tables["x"]] == [(10, [("a", [0.5])]), (30, [("a", [None])])]
    assert [step for step, _ in tables["y"]] == [20]
    warning = capsys.readouterr().err
    assert "2 lines" in warning
    assert warning.count("\n") == 1


def test_a_run_without_tables_has_none(tmp_path: Path) -> None:
    assert insight.read_tables(tmp_path) == {}


def test_means_are_over_what_is_known_and_over_the_second_half() -> None:
    entries = [
        (k, Table(("a",), ("1", "2"), np.array([[float(k), math.nan if k < 40 else 1.0]]))) for k in (10, 20, 40)
    ]
    assert insight.later_half(entries).lines == [("a", [30.0, 1.0])]
    assert insight.later_half(entries[:1]).lines == [("a", [10.0, None])]


def test_snapshots_hold_the_first_and_the_last() -> None:
    entries = [(k, cosines(0, 0, 0)) for k in range(10)]
    assert [step for step, _ in insight.snapshots(entries)] == [0, 3, 6, 9]
    assert [step for step, _ in insight.snapshots(entries[:2])] == [0, 1]


def test_tasks_that_use_the_same_encoders_are_alike() -> None:
    attention = Table(NAMES, ("1", "2"), np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]))
    similarity = insight.routing_similarity(attention)
    assert similarity.columns == NAMES
    assert similarity.values == pytest.approx(np.array([[1.0, 0.0, 0.6], [0.0, 1.0, 0.8], [0.6, 0.8, 1.0]]))


def test_pairs_that_pull_apart_are_named_the_worst_first() -> None:
    assert insight.conflicting_pairs(cosines(-0.2, 0.5, -0.7)) == [("b", "c", -0.7), ("a", "b", -0.2)]
    said = insight.say_of_gradients(cosines(-0.2, 0.5, -0.7))
    assert "b and c (-0.70); a and b (-0.20)" in said
    assert "67%" in said


def test_where_none_conflicts_the_lowest_is_named() -> None:
    said = insight.say_of_gradients(cosines(0.3, -0.05, 0.2))
    assert said.startswith("No pair")
    assert "-0.05 (a and c)" in said
    assert "33%" in said


def test_attention_that_tells_the_task_has_all_information_and_one_mixture_has_none() -> None:
    apart = Table(("a", "b"), ("1", "2"), np.eye(2))
    same = Table(("a", "b"), ("1", "2"), np.full((2, 2), 0.5))
    assert insight.information_of(apart) == pytest.approx(math.log(2))
    assert insight.information_of(same) == pytest.approx(0.0)
    # By hand, for p = .75 and .25 each way: .75 ln 1.5 + .25 ln .5.
    half = Table(("a", "b"), ("1", "2"), np.array([[0.75, 0.25], [0.25, 0.75]]))
    assert insight.information_of(half) == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert "different encoders" in insight.say_of_attention(apart, insight.information_of(apart))
    assert "work as one" in insight.say_of_attention(same, insight.information_of(same))
    assert "nothing to choose" in insight.say_of_attention(Table(("a",), ("1",), np.ones((1, 1))), 0.0)
