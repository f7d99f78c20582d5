"""Every figure with few trials at each run of the tests, with all of them when asked for; figures of time are not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from tests.faults.parts import PARTS, Part

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked and looked for as on Linux")
TESTED_ELSEWHERE = ("hostile", "malformed")
OF_TIME = ("checkpoints", "guards")
QUICK = [part for part in PARTS if part.quick is not None and part.name not in TESTED_ELSEWHERE]
SLOW = [part for part in PARTS if part.name not in (*TESTED_ELSEWHERE, *OF_TIME)]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("part", QUICK, ids=lambda part: part.name)
def test_few_trials_go_as_they_must(part: Part, tmp_path: Path) -> None:
    assert part.quick is not None
    outcome = part.measure(tmp_path, part.quick)
    assert outcome.failures == []
    assert outcome.good


@pytest.mark.slow
@pytest.mark.parametrize("part", SLOW, ids=lambda part: part.name)
def test_all_trials_go_as_they_must(part: Part, tmp_path: Path) -> None:
    outcome = part.measure(tmp_path, part.full)
    assert outcome.failures == []
    assert outcome.good, str(outcome)
