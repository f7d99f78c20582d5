"""Memory in words, and a replay that is refused where it does not fit."""

from __future__ import annotations

import pytest
import torch

from mtrl.errors import UsageError
from mtrl.training import memory
from mtrl.training.memory import check_replay_fits, size_in_words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (166_400_000, "166 MB"),
        (10**9, "1 GB"),
        (28 * 10**12, "28 TB"),
    ],
)
def test_sizes_are_written_as_people_write_them(count: int, words: str) -> None:
    assert size_in_words(count) == words


def test_a_replay_may_take_nine_tenths_of_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda device: 1_000_000)
    check_replay_fits(900_000, torch.device("cpu"))
    with pytest.raises(UsageError) as error:
        check_replay_fits(900_001, torch.device("cpu"))
    for part in ("900 kB", "1 MB", "cpu", "--replay-per-task", "--steps-per-task"):
        assert part in str(error.value)
