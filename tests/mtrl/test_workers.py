"""Runs whose environments fail: nothing of a lost row is learned from, counted or scored; the third in a row ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from agents.normalize import ObsScale
from agents.registry.compose import settings_type
from agents.registry.presets import PRESETS
from agents.replay import Replay
from agents.samplers.uniform import Uniform
from envs.suite import TaskSuite
from mtrl import train as train_command
from mtrl.config import TrainConfig
from mtrl.config.checks import check_values
from mtrl.errors import UsageError
from mtrl.rollout.episodes import Episode
from mtrl.rollout.tensor_env import TensorEnv, Transition
from mtrl.runs.folder import write_config, write_result
from mtrl.runs.reuse import find_finished
from mtrl.scoring.scorer import Scorer
from mtrl.tracking.metrics import MetricsWriter
from mtrl.tracking.run_log import RunLog
from mtrl.training.finite import FiniteGuard
from mtrl.training.loop import Training
from mtrl.training.schedule import Scheduled
from tests.envs.failing import failing
from tests.envs.stepping.test_workers import children
from tests.mtrl.conftest import Said, Scripted, metrics, read_json, same_weights, scripted_suite, weights, zeros
from tests.mtrl.made_runs import result_of

CPU = torch.device("cpu")
FLAGS = (
    *("--steps-per-task", "40", "--random-steps", "8", "--envs-per-task", "2", "--batch-per-task", "4"),
    *("--eval-every", "20", "--eval-episodes", "3", "--log-every", "8", "--hidden", "8", "--threads", "1"),
    *("--baseline", "none", "--runs-dir", "runs"),
)
PLUG_IN = """
    from functools import partial
    from pathlib import Path
    from mtrl import Task, TaskSuite
    from tests.envs.failing import Walk, failing

    suite = TaskSuite("walks", [Task("calm", Walk, "Walk."), Task("long", partial(Walk, 9), "Walk far.")])
    once, often, dead = (
        TaskSuite("walks", [*suite.tasks, failing(how, "step", pattern, Path(".").resolve())])
        for how, pattern in (("raise", "..x"), ("killed", "..x...x"), ("killed", "." * 30 + "xxx"))
    )
    stays = TaskSuite("walks", [*suite.tasks, Task("stays", lambda: Walk(), "Walk.")])
"""


class Still:
    """An agent that never moves and keeps what it is told."""

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def act(self, obs: Tensor, *, explore: bool) -> Tensor:
        return zeros(obs)

    def observe(self, obs: Tensor, reward: Tensor, ended: Tensor) -> None:
        self.seen.append(obs)

    def set_progress(self, fraction: float) -> None:
        pass

    def state_dict(self) -> dict[str, Tensor]:
        return {"nothing": torch.zeros(1)}


class RaisesOnce(Scripted):
    """Raises at the third step of the first episode of the first that is made; then all is as the script has it."""

    raised = False

    def step(self, action: np.ndarray) -> Any:
        if self.t == 2 and not RaisesOnce.raised:
            RaisesOnce.raised = True
            raise RuntimeError("out of order")
        return super().step(action)


def test_nothing_of_a_lost_row_enters_the_replay_or_the_scales(capfd: pytest.CaptureFixture[str]) -> None:
    """Two tasks, two copies, episodes of four steps; task b's copy 0 raises at the third step, so column 0 is left out.

    Observations are 100 * episode + step. After the loss b 0 is one step into another episode when the others have had
    four. An environment made anew counts episodes from 0 again, as does every seeded reset.
    """
    RaisesOnce.raised = False
    suite = scripted_suite(a=partial(Scripted, (1.0,) * 4), b=partial(RaisesOnce, (10.0,) * 4))
    env, agent = TensorEnv(suite, 2, CPU), Still()
    replay = Replay(2, 100, 1, 1, torch.Generator())
    config = TrainConfig(steps_per_task=10, random_steps=10)
    made: Any = agent
    seen: list[Transition] = []
    training = Training(config, env, made, replay, Uniform(), FiniteGuard(made, CPU))
    training.run([Scheduled(lambda now: seen.append(now.transition))])
    obs, next_obs, _, reward, terminated = replay._rows[:, : replay.size].split([1, 1, 1, 1, 1], dim=-1)
    assert replay.size == 9
    #       step 1  step 2  3  step 4  step 5
    a = [0, 0, 1, 1, 2, 3, 3, 0, 0]
    b = [0, 0, 1, 1, 2, 0, 3, 1, 0]
    assert obs[..., 0].tolist() == [a, b]
    assert (next_obs - obs).unique().tolist() == [1.0]
    assert reward[..., 0].tolist() == [[1.0] * 9, [10.0] * 9]
    assert terminated[..., 0].tolist() == [[float(k == 3) for k in row] for row in (a, b)]
    assert [seen.shape[1] for seen in agent.seen] == [2, 2, 1, 2, 2]
    assert sum(transition.lost_rows for transition in seen) == 1
    assert [episode for transition in seen for episode in transition.episodes] == [
        *[Episode(0, 0, 4.0, 4, pytest.approx(np.nan, nan_ok=True), pytest.approx(np.nan, nan_ok=True))],
        *[Episode(0, 1, 4.0, 4, pytest.approx(np.nan, nan_ok=True), pytest.approx(np.nan, nan_ok=True))],
        *[Episode(1, 1, 40.0, 4, pytest.approx(np.nan, nan_ok=True), pytest.approx(np.nan, nan_ok=True))],
    ]
    assert "task 'b', copy 0: step() failed" in capfd.readouterr().err


def test_scales_ignore_a_step_of_which_nothing_is_left() -> None:
    scale = ObsScale(2)
    scale.observe(torch.tensor([[[1.0, 2.0]], [[3.0, 6.0]]]))
    before = {name: value.clone() for name, value in scale.state_dict().items()}
    scale.observe(torch.zeros(2, 0, 2))
    assert all(torch.equal(value, before[name]) for name, value in scale.state_dict().items())


def test_lost_episodes_are_in_the_log_once_there_are_any(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        report = MetricsWriter(scripted_suite(a=Scripted), log)
        report.episodes([], 0)
        report.training(1, 1, 0, {})
        report.episodes([], 1)
        report.episodes([], 1)
        report.training(2, 2, 0, {})
        report.training(3, 3, 0, {})
    assert [(step, value) for step, tag, value in metrics(tmp_path) if tag == "time/lost_episodes"] == [(2, 2), (3, 2)]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_lost_episode_is_scored_again_and_never_counted(workers: int, tmp_path: Path) -> None:
    """Three copies play two episodes each; the second try, and the fifth, are lost."""
    suite = TaskSuite("s", [failing("raise", "step", ".x..x", tmp_path)])
    scorer = Scorer(suite, 6, 0, CPU, workers=workers)
    lengths: list[int] = []
    step = scorer.env.step

    def watched(action: Tensor) -> Transition:
        transition = step(action)
        lengths.append(0 if transition.lost is None else int(transition.lost.sum()))
        return transition

    scorer.env.step = watched  # type: ignore[method-assign]
    score = scorer.score(lambda obs: torch.zeros(*obs.shape[:2], 2))["bad"]
    assert sum(lengths) == 2
    assert score.episodes == 6
    scorer.close()


@pytest.fixture
def walks(plug_in: Callable[..., str]) -> str:
    return plug_in(PLUG_IN, "my_walks")


def run(call: Callable[..., Said], walks: str, suite: str, *flags: str) -> Said:
    return call(train_command.main, "--suite", f"{walks}:{suite}", *FLAGS, *flags)


def test_a_run_comes_to_the_same_weights_and_scores_whatever_the_number_of_workers(
    call: Callable[..., Said], walks: str
) -> None:
    said = [run(call, walks, "suite", "--workers", workers) for workers in ("0", "1", "3")]
    assert [one.code for one in said] == [0, 0, 0]
    assert [f"worker processes: {count}" in one.out for one, count in zip(said, ("none", "1", "3"), strict=True)]
    runs = [Path("runs/walks/care", name) for name in ("seed0", "seed0-2", "seed0-3")]
    for other in runs[1:]:
        assert same_weights(runs[0], other)
        assert read_json(runs[0] / "result.json")["tasks"] == read_json(other / "result.json")["tasks"]
    assert [read_json(path / "config.json")["workers"] for path in runs] == [0, 1, 3]
    assert children() == []


@pytest.mark.parametrize(("suite", "lost"), [("once", 1), ("often", 6)])
def test_a_run_survives_environments_that_fail_now_and_then(
    call: Callable[..., Said], walks: str, suite: str, lost: int
) -> None:
    """Two tries in each episode of bad's copies; a process that is killed loses the episodes of all its three rows."""
    said = run(call, walks, suite, "--workers", "2", "--eval-every", "1000")
    assert said.code == 0, said
    lines = said.err.splitlines()
    assert all(line.startswith("warning: task 'bad', copy ") for line in lines)
    path = Path("runs/walks/care/seed0")
    assert read_json(path / "result.json")["steps_per_task"] == 40
    counted = [value for _, tag, value in metrics(path) if tag == "time/lost_episodes"]
    assert counted[-1] == lost
    assert all(weight.isfinite().all() for weight in weights(path).values())
    assert children() == []


def test_the_third_failure_in_a_row_ends_a_run_with_1_and_keeps_what_it_has(
    call: Callable[..., Said], walks: str
) -> None:
    said = run(call, walks, "dead", "--workers", "2", "--eval-every", "1000", "--steps-per-task", "1000")
    assert said.code == 1, said
    *warnings, error = said.err.splitlines()
    assert len(warnings) == 2
    assert error.startswith("error: task 'bad', copy ")
    assert "killed by SIGKILL in step; that makes 3 failures in a row" in error
    path = Path("runs/walks/care/seed0")
    assert all(weight.isfinite().all() for weight in weights(path).values())
    assert [tag for _, tag, _ in metrics(path) if tag == "train/critic_loss"]
    assert not (path / "result.json").exists()
    assert children() == []


def test_tasks_that_do_not_pickle_are_trained_in_this_process_with_one_warning(
    call: Callable[..., Said], walks: str
) -> None:
    said = run(call, walks, "stays", "--workers", "2")
    assert said.code == 0
    (line,) = said.err.splitlines()
    assert line.startswith("warning: task 'stays' does not pickle")
    assert "worker processes: none" in said.out


def test_unless_said_a_measurement_decides(
    call: Callable[..., Said], walks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtrl.training.assemble.processors", lambda: 2)
    monkeypatch.setattr("envs.stepping.pace.step_seconds", lambda _: 1.0)
    assert "worker processes: 2" in run(call, walks, "suite").out
    monkeypatch.setattr("envs.stepping.pace.step_seconds", lambda _: 1e-6)
    assert "worker processes: none" in run(call, walks, "suite").out


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (["--workers", "-1"], ["--workers is -1", "at least 0"]),
        (["--workers", "two"], ["--workers", "'two'", "INT"]),
        (["--env-timeout", "0"], ["--env-timeout is 0.0", "above 0"]),
        (["--env-timeout", "nan"], ["--env-timeout is nan", "above 0"]),
    ],
)
def test_flags_out_of_range_are_named(refused: Callable[..., str], flags: list[str], parts: list[str]) -> None:
    line = refused(train_command.main, *flags)
    assert [part for part in parts if part not in line] == [], line


@pytest.mark.parametrize("workers", [None, 0, 2])
def test_the_number_of_workers_goes_to_json_and_back(workers: int | None) -> None:
    config = TrainConfig(workers=workers, settings=settings_type(PRESETS["care"])())
    assert TrainConfig.from_json(config.to_json()).workers == workers
    with pytest.raises(UsageError, match="--workers is 'two'; it must be a number"):
        check_values(TrainConfig.from_json({**config.to_json(), "workers": "two"}))


@pytest.mark.usefixtures("clean_checkout")
def test_a_run_with_other_workers_is_the_same_run(tmp_path: Path) -> None:
    config = TrainConfig(settings=settings_type(PRESETS["care"])(), workers=2)
    (tmp_path / "seed0").mkdir()
    write_config(tmp_path / "seed0", config)
    write_result(tmp_path / "seed0", result_of({"reach": 0.5}, suite="tabletop", agent="care", seed=0))
    assert find_finished(tmp_path, dataclasses.replace(config, workers=0, env_timeout=5.0), ["reach"]) is not None
    assert find_finished(tmp_path, dataclasses.replace(config, steps_per_task=5), ["reach"]) is None
