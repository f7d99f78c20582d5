"""Diagnostics read back: averaged where known, put into words that follow from the numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agents.diagnostics.measures import conflict_rate
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


def test_means_are_over_what_is_known_and_apart_for_each_half() -> None:
    entries = [
        (k, Table(("a",), ("1", "2"), np.array([[float(k), math.nan if k < 40 else 1.0]]))) for k in (10, 20, 40)
    ]
    first, second = insight.halves(entries)
    assert first is not None
    assert first.lines == [("a", [10.0, None])]
    assert second.lines == [("a", [30.0, 1.0])]
    assert insight.halves(entries[:1])[0] is None


def test_a_mean_over_seeds_is_by_name_whatever_the_order_of_tasks() -> None:
    one = Table(("a", "b"), ("a", "b"), np.array([[1.0, -0.5], [-0.25, 1.0]]))
    other = Table(("b", "a"), ("b", "a"), np.array([[1.0, -0.25], [-0.5, 1.0]]))
    assert insight.mean_table([one, other]).lines == one.lines
    renamed = Table(("a", "b"), ("enc 1", "enc 2"), one.values)  # as by another version of the kit
    assert insight.mean_table([one, renamed]).lines == one.lines


def test_snapshots_hold_the_first_and_the_last() -> None:
    entries = [(k, cosines(0, 0, 0)) for k in range(10)]
    assert [step for step, _ in insight.snapshots(entries)] == [0, 3, 6, 9]
    assert [step for step, _ in insight.snapshots(entries[:2])] == [0, 1]


def test_tasks_that_use_the_same_encoders_are_alike() -> None:
    attention = Table(NAMES, ("1", "2"), np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]))
    similarity = insight.routing_similarity(attention)
    assert similarity.columns == NAMES
    assert similarity.values == pytest.approx(np.array([[1.0, 0.0, 0.6], [0.0, 1.0, 0.8], [0.6, 0.8, 1.0]]))


def test_pairs_that_conflict_are_counted_and_the_worst_named_first() -> None:
    assert insight.conflicting_pairs(cosines(-0.2, 0.5, -0.7)) == [("b", "c", -0.7), ("a", "b", -0.2)]
    (said,) = insight.say_of_gradients("critic", cosines(-0.2, 0.5, -0.7))
    assert said.startswith("Critic: 2 of 3 pairs of tasks conflict in the second half")
    assert "b and c (-0.70); a and b (-0.20)" in said


def test_where_none_conflicts_the_lowest_is_named_and_what_did_before() -> None:
    now, before = insight.say_of_gradients("actor", cosines(0.3, 0.05, 0.2), cosines(-0.9, 0.0, 0.0))
    assert now.startswith("Actor: No pair")
    assert "a and c (0.05)" in now
    assert "a and b (-0.90)" in before
    assert len(insight.say_of_gradients("actor", cosines(-0.9, 0.0, 0.0), cosines(-0.9, 0.0, 0.0))) == 1


@pytest.mark.parametrize("values", [(-0.01, -0.05, 0.3), (0.0, 0.5, 0.2), (-0.9, -0.9, -0.9), (math.nan, -0.2, 0.1)])
def test_the_count_of_conflicts_agrees_with_the_sentence_and_with_the_agents_own_rate(values: Any) -> None:
    table = cosines(*values)
    known = [value for value in values if math.isfinite(value)]
    count = sum(value < 0 for value in known)
    assert insight.say_how_many(table) == f"{count} of {len(known)}"
    (said,) = insight.say_of_gradients("critic", table)
    assert (f"{count} of {len(known)} pairs" if count else "No pair of tasks") in said
    if len(known) == 3:
        assert float(conflict_rate(torch.tensor(table.values)).mean()) == pytest.approx(count / 3)


def test_attention_that_differs_between_tasks_is_distinguished_from_one_mixture() -> None:
    apart = Table(("a", "b"), ("1", "2"), np.eye(2))
    assert "different encoders (0.69 of at most 0.69 nats" in insight.say_of_attention(apart, math.log(2))
    assert "act as one" in insight.say_of_attention(apart, 0.03)
    assert "nothing to choose" in insight.say_of_attention(Table(("a",), ("1",), np.ones((1, 1))), 0.0)
