"""A first signal is a wish that is noted; a second one, and any after the run, act as they always do."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from mtrl.terminal.interrupt import StopRequest

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Python's own handler, also where the tests run in the background of a shell, which then ignores Ctrl-C."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.mark.parametrize("number", BOTH, ids=lambda number: number.name)
def test_a_first_signal_is_noted_and_gives_the_former_handlers_back(number: signal.Signals) -> None:
    former = [signal.getsignal(each) for each in BOTH]
    with StopRequest() as stop:
        assert not stop
        assert [signal.getsignal(each) for each in BOTH] != former
        os.kill(os.getpid(), number)
        assert stop
        assert stop.signal == number
        now = [signal.getsignal(each) for each in BOTH]
        assert now[0] == former[0]
        assert (now[1] == former[1]) == (number != signal.SIGTERM)  # which may come twice
    assert stop
    assert [signal.getsignal(each) for each in BOTH] == former


def test_a_second_ctrl_c_is_not_swallowed() -> None:
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_sigterm_that_comes_twice_at_once_is_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that ends a job signals every process of it, and a sweep asks its runs to end as well."""
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    try:
        with StopRequest() as stop:
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGTERM)
            assert stop
            assert seen == []
            monkeypatch.setattr("mtrl.terminal.interrupt.SAME_REQUEST", 0.0)
            os.kill(os.getpid(), signal.SIGTERM)
            assert seen == [signal.SIGTERM]
        os.kill(os.getpid(), signal.SIGTERM)
        assert seen == [signal.SIGTERM] * 2
    finally:
        signal.signal(signal.SIGTERM, before)


def test_without_a_signal_and_after_an_error_the_handlers_are_as_before() -> None:
    former = [signal.getsignal(each) for each in BOTH]
    with pytest.raises(OSError, match="inside"), StopRequest() as stop:
        raise OSError("inside")
    assert not stop
    assert [signal.getsignal(each) for each in BOTH] == former
