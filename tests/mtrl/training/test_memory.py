"""Memory in words, and a replay and networks that are refused where they do not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mtrl import evaluate, train
from mtrl.errors import UsageError
from mtrl.training import memory
from mtrl.training.memory import check_networks_fit, check_replay_fits, networks_fit, size_in_words
from tests.mtrl.conftest import retold, tiny

CPU = torch.device("cpu")


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


def test_networks_are_refused_before_the_one_that_is_too_much_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda device: 1_000)
    made: list[torch.Tensor] = []

    def make(*sizes: tuple[int, ...]) -> None:
        made[:] = []
        for size in sizes:
            made.append(torch.empty(size).uniform_(generator=torch.Generator()))

    with networks_fit((8,)):
        make((10, 10), (5, 30))  # 400 and 600 bytes
    said = r"need at least 1 kB, .* 1 kB of memory for them; lower --hidden \(8 9\)"
    with pytest.raises(UsageError, match=said), networks_fit((8, 9)):
        make((10, 10), (151,))
    assert len(made) == 1
    with pytest.raises(UsageError, match="1.6 kB, but there is 1 kB"), networks_fit((8,), CPU, times=4):
        make((10, 10))


def test_what_a_process_may_not_have_is_said_in_the_same_words_and_other_errors_are_left_alone() -> None:
    with pytest.raises(UsageError, match="system does not give .* lower --hidden"), networks_fit((8,)):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory: you tried")
    with pytest.raises(RuntimeError, match="another"), networks_fit((8,)):
        raise RuntimeError("another")


def test_numbers_of_networks_are_held_against_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda device: 1_000)
    check_networks_fit(250, (8,), CPU)
    with pytest.raises(UsageError, match="1.04 kB, but there is 1 kB"):
        check_networks_fit(260, (8,), CPU)


@pytest.mark.parametrize("agent", ["care", "single-task", "sb3"])
def test_widths_beyond_memory_are_refused_in_one_line_and_no_folder_is_made(
    agent: str, refused: Callable[..., str], tmp_path: Path
) -> None:
    few = tiny(tmp_path / "runs", "--agent", agent, "--hidden", "100000", "100000", "100000", "100000")
    assert "lower --hidden (100000 100000 100000 100000)" in refused(train.main, *few, "--baseline", "none")
    assert not (tmp_path / "runs").exists()


def test_a_run_folder_that_names_such_widths_is_refused(care_run: Path, refused: Callable[..., str]) -> None:
    settings = {"hidden": [100_000] * 4}
    retold(care_run / "config.json", settings=settings, agent="mtsac")
    assert "lower --hidden (100000 100000 100000 100000)" in refused(evaluate.main, care_run)
