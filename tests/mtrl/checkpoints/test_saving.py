"""When a run is saved, and that a disk which is full does not end it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mtrl import train
from mtrl.checkpoints.saving import MAX_INTERVAL, MIN_INTERVAL, Saving
from mtrl.errors import UsageError
from tests.mtrl.conftest import tiny


def test_a_full_disk_is_said_and_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mtrl.checkpoints.store.publish", full)
    assert train.main(tiny(tmp_path, "--agent", "care", "--baseline", "none")) == 0
    assert "warning: no checkpoint could be written (No space left on device)" in capsys.readouterr().out
    assert (tmp_path / "tabletop/care/seed0/result.json").is_file()


def test_checkpoints_come_as_often_as_costs_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saving = object.__new__(Saving)
    saving._every = None
    for cost, interval in ((0.01, MIN_INTERVAL), (3.0, 150.0), (60.0, MAX_INTERVAL)):
        saving._cost = cost
        assert saving._interval() == pytest.approx(interval)
    saving._every = 7
    assert saving._interval() == 7
    with pytest.raises(UsageError, match="--checkpoint-every is -1"):
        train.main(tiny(tmp_path, "--checkpoint-every", "-1"))
