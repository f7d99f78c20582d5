"""What tests of environments share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.envs.stepping.watching import children


@pytest.fixture
def nothing_stays() -> Iterator[None]:
    """Hold a test to leaving no process behind."""
    yield
    assert children() == []
