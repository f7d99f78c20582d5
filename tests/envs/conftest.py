"""Fixtures for tests of environments."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.envs.stepping.watching import children


@pytest.fixture
def nothing_stays() -> Iterator[None]:
    """Assert that a test leaves no process behind."""
    yield
    assert children() == []
