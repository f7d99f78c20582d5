"""Trackers: what the log forwards, one that is not installed, one that fails, and unchanged results."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mtrl import learn, sweep, train
from mtrl.config import TrainConfig
from mtrl.errors import RunError
from mtrl.gathering.grouping import settings_of
from mtrl.pictures.heat_maps import SHARES
from mtrl.runs.folder import read_run
from mtrl.runs.reuse import same_run
from mtrl.terminal.interrupt import Stopped
from mtrl.tracking import trackers
from mtrl.tracking.run_log import RunLog
from mtrl.tracking.tracker import Guarded, Status, TrackedRun
from mtrl.tracking.trackers import TRACKERS, KnownTracker
from mtrl.video.recording import gif_of
from tests.mtrl.conftest import Said, metrics, read_json, same_weights, tiny

ALONE = ("--baseline", "none")


class Notebook:
    """A tracker that records its calls and fails in the method named ``fails``."""

    where = "in a notebook"
    fails = ""
    kept: list[Notebook] = []  # noqa: RUF012  (one for a test, as the fixture empties it)

    def __init__(self, run: TrackedRun | None = None) -> None:
        self.run = run
        self.scalar: list[tuple[int, str, float]] = []
        self.images: list[tuple[int, str, tuple[int, ...]]] = []
        self.videos: list[tuple[int, str, bytes]] = []
        self.results: list[tuple[int, dict[str, Any]]] = []
        self.ends: list[Status] = []
        self.kept.append(self)

    def _fail(self, method: str) -> None:
        if self.fails == method:
            raise ConnectionError(f"{method} came\nto nothing")

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._fail("scalars")
        self.scalar += [(step, tag, value) for tag, value in values.items()]

    def image(self, step: int, tag: str, image: np.ndarray) -> None:
        self._fail("image")
        self.images.append((step, tag, image.shape))

    def video(self, step: int, tag: str, gif: bytes) -> None:
        self.videos.append((step, tag, gif))

    def result(self, step: int, values: Mapping[str, Any]) -> None:
        self.results.append((step, dict(values)))

    def finish(self, status: Status) -> None:
        self.ends.append(status)
        self._fail("finish")


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> type[Notebook]:
    """``--track wandb`` writes into a ``Notebook``, the last of ``Notebook.kept``."""
    monkeypatch.setattr(Notebook, "kept", [])
    monkeypatch.setattr(Notebook, "fails", "")
    monkeypatch.setitem(TRACKERS, "wandb", KnownTracker(("json",), ""))
    monkeypatch.setattr(trackers, "imported", lambda path: Notebook)
    return Notebook


def test_a_log_forwards_numbers_images_videos_and_results(tmp_path: Path) -> None:
    mine, other = Notebook(), Notebook()
    gif = gif_of([Image.new("RGB", (6, 4), "red")], 10)
    with RunLog(tmp_path, [mine, other]) as log:
        log.scalars(10, {"a": 1.5, "b": math.nan})
        log.matrix(10, "attention", np.eye(2), ["x", "y"], ["x", "y"], SHARES)
        log.matrix(10, "cosine", np.eye(2), ["x", "y"], ["x", "y"], SHARES, drawn=False)
        log.video(10, "viz/policy", gif, 6, 4)
        log.result(10, {"agent": "care", "mean": {"return": 2.0, "success_any": None}, "protocol": {"episodes": 3}})
    for one in (mine, other):
        assert one.scalar == [(10, "a", 1.5)]
        assert [(step, tag) for step, tag, _ in one.images] == [(10, "viz/attention")]
        assert one.videos == [(10, "viz/policy", gif)]
        assert one.results == [(10, {"agent": "care", "mean/return": 2.0})]
        assert one.ends == ["finished"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(Stopped(2), "stopped"), (KeyboardInterrupt(), "stopped"), (RunError("diverged"), "failed")],
    ids=lambda one: getattr(one, "__class__", type(one)).__name__,
)
def test_a_tracker_receives_how_a_run_ended(tmp_path: Path, error: BaseException, status: Status) -> None:
    notebook = Notebook()
    with pytest.raises(type(error)), RunLog(tmp_path, [notebook]):
        raise error
    assert notebook.ends == [status]


@pytest.mark.parametrize("method", ["scalars", "image", "finish"])
def test_a_tracker_that_fails_gives_one_warning_and_the_run_finishes(
    notebook: type[Notebook], tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    notebook.fails = method
    assert train.main(tiny(tmp_path, "--track", "wandb", *ALONE)) == 0
    (one,) = notebook.kept
    assert one.ends == ["finished"]  # what failed is not left open
    message = f"--track wandb failed and is not used any more; the run continues: ConnectionError: {method} came"
    assert capsys.readouterr().err == f"warning: {message}\n"
    run = tmp_path / "tabletop" / "care" / "seed0"
    assert (run / "result.json").exists()
    assert metrics(run)[-1][:2] == (64, "final/wall_seconds")


def test_a_tracker_that_cannot_be_started_gives_a_warning(
    notebook: type[Notebook], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(run: TrackedRun) -> Notebook:
        raise OSError("no such server")

    monkeypatch.setattr(trackers, "imported", lambda path: refuse)
    assert train.main(tiny(tmp_path, "--track", "wandb", *ALONE)) == 0
    assert capsys.readouterr().err == (
        "warning: --track wandb could not be started; the run continues without it: OSError: no such server\n"
    )


def test_a_signal_is_not_a_failure_of_a_tracker() -> None:
    """Ctrl-C while one waits for its server ends the run, as it would anywhere else."""

    class Interrupted(Notebook):
        def scalars(self, step: int, values: Mapping[str, float]) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Guarded("wandb", Interrupted()).scalars(1, {"a": 1.0})


def test_a_run_and_its_baseline_are_a_run_each_of_one_suite(notebook: type[Notebook], tmp_path: Path) -> None:
    assert train.main(tiny(tmp_path, "--track", "wandb", "--baseline", "sb3", "--jobs", "1")) == 0
    care, sb3 = notebook.kept
    for one, agent in ((care, "care"), (sb3, "sb3")):
        assert one.run is not None
        path = tmp_path / "tabletop" / agent / "seed0"
        assert (one.run.name, one.run.suite, one.run.agent) == (f"tabletop/{agent}/seed0", "tabletop", agent)
        assert (one.run.path, one.run.runs_dir) == (path, tmp_path)
        config = read_json(path / "config.json")
        settings = config.pop("settings")
        params = json.loads(json.dumps(one.run.params))
        assert params == {
            **{name: config[name] for name in TrainConfig.__dataclass_fields__ if name in config},
            **settings,
        }
        written = [(step, tag, pytest.approx(value, rel=1e-9)) for step, tag, value in metrics(path)]
        assert one.scalar == written
        assert sorted(step for step, _, _ in one.scalar) == [step for step, _, _ in one.scalar]
        result = read_json(path / "result.json")
        ((step, values),) = one.results
        assert (step, values["agent"], values["wall_seconds"]) == (64, agent, result["wall_seconds"])
        assert values["tasks/push/return"] == result["tasks"]["push"]["return"]
        assert one.ends == ["finished"]


def test_tracking_changes_no_number_and_makes_no_other_run(notebook: type[Notebook], tmp_path: Path) -> None:
    assert train.main(tiny(tmp_path / "one", *ALONE)) == 0
    assert train.main(tiny(tmp_path / "two", "--track", "wandb", *ALONE)) == 0
    one, two = (tmp_path / name / "tabletop" / "care" / "seed0" for name in ("one", "two"))
    assert same_weights(one, two)
    plain, tracked = read_run(one)[0], read_run(two)[0]
    assert (plain.track, tracked.track) == ("none", "wandb")
    assert same_run(plain, tracked)
    assert settings_of(plain) == settings_of(tracked)


def test_a_run_made_before_there_were_trackers_is_read(finished: Path) -> None:
    values = read_run(finished / "tabletop" / "care" / "seed0")[0].to_json()
    del values["track"]
    assert TrainConfig.from_json(values).track == "none"


def test_learn_tracks_too(notebook: type[Notebook], tmp_path: Path) -> None:
    settings = {"steps_per_task": 16, "random_steps": 8, "envs_per_task": 2, "batch_per_task": 2, "eval_episodes": 1}
    learn("tabletop", "mtsac", tasks=["reach"], hidden=[8], runs_dir=tmp_path, track="wandb", **settings)
    (one,) = notebook.kept
    assert one.run is not None
    assert one.run.name == "tabletop/mtsac/seed0"
    assert one.ends == ["finished"]


@pytest.mark.parametrize("name", sorted(TRACKERS))
@pytest.mark.parametrize(
    "spec", [None, ModuleSpec("folder", None, is_package=True)], ids=["nothing", "a folder of that name"]
)
def test_a_tracker_that_is_not_installed_is_refused_before_anything_is_made(
    refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, spec: ModuleSpec | None
) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda package: spec)
    line = refused(train.main, *tiny(tmp_path / "runs"), "--track", name)
    assert line.startswith(f"error: --track {name} needs {', '.join(TRACKERS[name].packages)}, not installed: ")
    assert line.endswith(f"pip install -e '.[{name}]'\n")
    assert f"'.[{name}]'" in refused(sweep.main, "--runs-dir", tmp_path / "runs", "--", "--track", name)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_tracker_is_refused(refused: Callable[..., str], call: Callable[..., Said], tmp_path: Path) -> None:
    assert "wandb" in refused(train.main, *tiny(tmp_path), "--track", "wanb")
    with pytest.raises(ValueError, match="--track is 'wanb'; it may be none or wandb or mlflow"):
        learn("tabletop", "care", track="wanb", runs_dir=tmp_path)
