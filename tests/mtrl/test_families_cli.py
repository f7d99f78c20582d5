"""The families from the command line: own values, bad values and a missing extra."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from mtrl import check, list, train
from tests.mtrl.conftest import Said

BAD = "gravity '999' is out of range; it may be from 0 to 16 m/s^2; write pendulum-gravity:4,6,8,10,12"


def test_own_values_are_listed(call: Callable[..., Said]) -> None:
    said = call(list.main, "--suite", "pendulum-gravity:2,5.5")
    assert said.code == 0
    assert "gravity-5.5  Swing the pendulum up and keep it upright where gravity is 5.5 m/s^2." in said.out


@pytest.mark.parametrize("arguments", [(list.main, "--suite"), (check.main,), (train.main, "--suite")])
def test_a_value_out_of_range_is_refused_in_one_line(refused: Callable[..., str], arguments: Any) -> None:
    assert BAD in refused(*arguments, "pendulum-gravity:5,999")


@pytest.mark.parametrize(
    ("suite", "module", "extra"),
    [("cheetah-velocity", "mujoco", "mujoco"), ("fetch", "gymnasium_robotics", "robotics")],
)
def test_a_missing_extra_is_one_line_and_the_list_does_without(
    call: Callable[..., Said],
    refused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    suite: str,
    module: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    said = f"error: {module.replace('_', '-')} is not installed: pip install -e '.[{extra}]'\n"
    assert refused(check.main, suite) == said
    assert refused(train.main, "--suite", suite) == said
    assert call(list.main, "--suite", suite).code == 0
