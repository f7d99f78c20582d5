"""Malformed input is refused in one line: a part of the table at every run of the tests, all of it when asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.malformed import malformed


def test_each_tenth_malformed_input_is_refused_in_one_line(tmp_path: Path) -> None:
    passed, total, failures = malformed(tmp_path, every=10)
    assert failures == []
    assert passed == total > 40


@pytest.mark.slow
def test_every_malformed_input_is_refused_in_one_line(tmp_path: Path) -> None:
    passed, total, failures = malformed(tmp_path)
    assert failures == []
    assert passed == total > 400
