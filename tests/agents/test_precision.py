"""Precision follows the cost of products on this machine, and its choice is explained."""

from __future__ import annotations

import pytest
import torch

from agents import precision
from agents.precision import bfloat16_speedup, choose_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("asked", "speedup", "taken"),
    [
        ("auto", 2.5, "bfloat16"),
        ("auto", 1.05, "float32"),  # not worth the rounding
        ("auto", 0.04, "float32"),
        ("bfloat16", 0.04, "bfloat16"),
        ("bfloat16", 2.5, "bfloat16"),
    ],
)
def test_auto_takes_reduced_precision_only_where_it_was_faster(
    monkeypatch: pytest.MonkeyPatch, asked: str, speedup: float, taken: str
) -> None:
    monkeypatch.setattr(precision, "bfloat16_speedup", lambda *_: speedup)
    chosen = choose_precision(asked, 64, 32, CPU)
    assert (chosen.asked, chosen.taken, chosen.speedup) == (asked, taken, speedup)


def test_a_slower_precision_is_warned_of_with_its_factor_only_where_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision, "bfloat16_speedup", lambda *_: 0.04)
    slow = choose_precision("bfloat16", 64, 32, CPU)
    assert slow.warning is not None
    assert "25.0 times slower" in slow.warning
    auto = choose_precision("auto", 64, 32, CPU)
    assert auto.warning is None
    assert auto.in_words == "float32 (bfloat16 products are 25.0 times slower on this machine)"


def test_float32_is_taken_without_timing_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "bfloat16_speedup", pytest.fail)
    chosen = choose_precision("float32", 64, 32, CPU)
    assert (chosen.taken, chosen.speedup, chosen.in_words, chosen.warning) == ("float32", None, "float32", None)


def test_the_ratio_is_that_of_the_shortest_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose reduced products take three times as long."""
    monkeypatch.setattr(precision, "_seconds", lambda x, weight, reduced: 3.0 if reduced else 1.0)
    assert bfloat16_speedup(4, 8, CPU) == pytest.approx(1 / 3)


def test_only_bfloat16_products_are_timed_under_autocast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each precision is timed in turn on the real products, which are computed in that precision."""
    kinds, bmm = [], torch.bmm

    def watched(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        out = bmm(x, y)
        kinds.append(out.dtype)
        return out

    monkeypatch.setattr(torch, "bmm", watched)
    bfloat16_speedup(8, 16, CPU)
    assert kinds == [torch.float32, torch.float32, torch.bfloat16, torch.bfloat16] * (precision.REPEATS + 1)
