"""Videos during training: what they show, how large they are, and that they leave training unchanged."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from envs.registry import make_suite
from envs.tabletop import suite as tabletop
from mtrl import train
from mtrl.video import camera
from mtrl.video.camera import Camera
from tests.mtrl.conftest import same_weights, scripted_suite, tiny, zeros
from tests.mtrl.tracking.test_run_log import events_of
from tests.mtrl.video.drawn import Drawn

CPU = torch.device("cpu")
Refused = Callable[..., str]


def test_a_video_of_the_ten_tasks_for_tensorboard_is_small() -> None:
    generator = torch.Generator().manual_seed(0)
    gif = Camera(tabletop, 0, CPU).record(lambda obs: torch.rand(*obs.shape[:2], 3, generator=generator) * 2 - 1)
    assert gif is not None
    assert gif.width == 300
    assert len(gif.data) < 1_000_000


def test_of_many_tasks_the_first_of_each_group_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "MAX_FRAMES", 2)
    fifty = make_suite("tabletop-50")
    gif = Camera(fifty, 0, CPU).record(lambda obs: torch.zeros(*obs.shape[:2], 3))
    of_ten = Camera(tabletop, 0, CPU).record(lambda obs: torch.zeros(*obs.shape[:2], 3))
    assert gif is not None
    assert of_ten is not None
    assert (gif.width, gif.height) == (of_ten.width, of_ten.height)


def test_an_environment_that_fails_ends_the_videos_and_not_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    calls = itertools.count()

    class Breaks(Drawn):
        def step(self, action: np.ndarray) -> Any:
            if next(calls) > 1:
                raise RuntimeError("the renderer is gone")
            return super().step(action)

    one = Camera(scripted_suite(a=partial(Breaks, (0.0,) * 2)), 0, CPU)
    assert one.record(zeros) is not None
    assert one.record(zeros) is None
    assert "warning: no more videos are recorded" in capsys.readouterr().err
    assert one.record(zeros) is None
    assert capsys.readouterr().err == ""


def test_recording_changes_nothing_in_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "MAX_FRAMES", 2)
    for name, every in (("with", "32"), ("without", "0")):
        assert train.main(tiny(tmp_path / name, "--baseline", "none", "--record-every", every)) == 0
    run, plain = (tmp_path / name / "tabletop" / "care" / "seed0" for name in ("with", "without"))
    assert same_weights(run, plain)
    assert [image.step for image in events_of(run).Images("viz/policy")] == [32, 64]
    assert "viz/policy" not in events_of(plain).Tags()["images"]


def test_videos_of_sb3_are_refused_before_a_run_is_made(refused: Refused, tmp_path: Path) -> None:
    line = refused(train.main, "--agent", "sb3", "--runs-dir", tmp_path / "runs", "--record-every", "10")
    assert "--record-every is 10, and agent 'sb3'" in line
    assert not (tmp_path / "runs").exists()
