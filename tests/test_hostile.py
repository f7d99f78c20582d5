"""Nothing of a stranger's run folder is executed, and nothing is written through its links."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.hostile import hostile


@pytest.mark.slow
def test_hostile_runs_names_and_reports_execute_nothing(tmp_path: Path) -> None:
    passed, total, executed = hostile(tmp_path)
    assert executed == []
    assert passed == total >= 30
