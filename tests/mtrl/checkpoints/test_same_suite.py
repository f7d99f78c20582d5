"""A run resumes on the tasks that it began with: a suite that has changed since is refused, or warned of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mtrl
from mtrl import sweep, train
from mtrl.checkpoints.saving import Saving
from mtrl.runs.folder import read_run
from mtrl.runs.unfinished import resuming
from tests.mtrl.checkpoints.test_resume import Killed, run_of
from tests.mtrl.conftest import read_json
from tests.mtrl.holding import HOLDING, hold

SUITE = ("--suite", "holding_suite:suite")
ARGUMENTS = ("--agent", "mtsac", "--log-every", "8", "--eval-every", "64")
IN_ORDER = "trained = [task(-0.5), task(0.25, size=1), task(0.5)]"


def killed(monkeypatch: pytest.MonkeyPatch, run: Callable[[], Any]) -> None:
    """Save a run at 40 steps per task, and kill it there."""

    def call(self: Saving, now: Any) -> None:
        if now.span.step >= 40:
            assert self.save(now.span.step)
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Saving, "__call__", call)
        with pytest.raises(Killed):
            run()


@pytest.fixture
def interrupted(tmp_path: Path, plug_in: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Path:
    plug_in(HOLDING, "holding_suite")
    killed(monkeypatch, lambda: train.main(hold(tmp_path, *ARGUMENTS)))
    return run_of(tmp_path, "mtsac", "holding")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (IN_ORDER, "trained = [task(0.25, size=1), task(-0.5), task(0.5)]", "'holding' now has hold0.25, hold-0.5"),
        (
            IN_ORDER,
            "trained = [task(-0.5), task(0.75, size=1), task(0.5)]",
            "trained on the tasks hold-0.5, hold0.25, hold0.5",
        ),
        ('f"Hold {aim}."', 'f"Keep {aim}."', "the sentences of hold-0.5, hold0.25, hold0.5 have changed since"),
    ],
)
def test_other_tasks_are_refused(
    interrupted: Path, plug_in: Callable[..., str], refused: Callable[..., str], before: str, after: str, words: str
) -> None:
    assert before in HOLDING
    plug_in(HOLDING.replace(before, after), "holding_suite")
    config = (interrupted / "config.json").read_bytes()
    assert words in refused(train.main, "--resume", interrupted, *SUITE)
    assert (interrupted / "config.json").read_bytes() == config


def test_another_version_of_the_file_is_warned_of(
    interrupted: Path, plug_in: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in(HOLDING.replace("1.0 - abs(", "2.0 - abs("), "holding_suite")
    assert train.main(["--resume", str(interrupted), *SUITE]) == 0
    assert "the file of suite 'holding_suite:suite' has changed since" in capsys.readouterr().err


def test_the_line_that_says_how_to_continue_allows_what_it_imports(interrupted: Path) -> None:
    config = read_run(interrupted)[0]
    assert resuming(interrupted, config) == f"python -m mtrl.train --resume {interrupted} --suite holding_suite:suite"


def test_a_sweep_trains_again_what_was_trained_on_another_version_of_the_suite(
    tmp_path: Path, plug_in: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in(HOLDING, "holding_suite")
    small = hold(tmp_path, "--agent", "mtsac", "--threads", "1")
    assert train.main(small) == 0
    flags = [word for word in small[small.index("--steps-per-task") :] if word not in ("--baseline", "none")]
    for removed in ("--suite", "--runs-dir", "--agent", "--threads", "--seed"):
        if removed in flags:
            position = flags.index(removed)
            del flags[position : position + 2]
    again = [*SUITE, "--runs-dir", str(tmp_path), "--agents", "mtsac", "--seeds", "0", "--jobs", "1", "--", *flags]
    assert sweep.main(again) == 0
    assert "already exists" in capsys.readouterr().out
    plug_in(HOLDING.replace("1.0 - abs(", "2.0 - abs("), "holding_suite")
    assert sweep.main(again) == 0
    assert "was trained on an earlier version of suite 'holding_suite:suite'" in capsys.readouterr().out
    assert read_json(tmp_path / "holding" / "mtsac" / "seed0-2" / "result.json")["steps_per_task"] == 64


def test_a_run_on_a_suite_object_is_resumed_and_started_from_by_its_name(
    tmp_path: Path, plug_in: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(HOLDING, "holding_suite")
    import holding_suite

    few = {"steps_per_task": 64, "random_steps": 32, "envs_per_task": 2, "batch_per_task": 4, "eval_every": 64}
    small = {**few, "eval_episodes": 1, "hidden": (8,), "diagnose_every": 0, "threads": 1, "workers": 0}
    small |= {"encoder_hidden": (8,), "context_hidden": (8,)}
    killed(monkeypatch, lambda: mtrl.learn(holding_suite.suite, "care", runs_dir=tmp_path, **small))
    run = run_of(tmp_path, "care", "holding")
    assert resuming(run, read_run(run)[0]).endswith("--suite MODULE:SUITE")
    assert train.main(["--resume", str(run), *SUITE]) == 0
    new = ["--from", str(run), *SUITE, "--tasks", "hold0.9", "--steps-per-task", "64", "--random-steps", "32"]
    assert train.main([*new, "--baseline", "none", "--runs-dir", str(tmp_path / "new")]) == 0
    assert read_json(tmp_path / "new" / "holding" / "care" / "seed0" / "result.json")["before"]["tasks"]["hold0.9"][
        "new"
    ]
