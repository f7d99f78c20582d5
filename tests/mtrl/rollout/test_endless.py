"""Episodes without end: an evaluation gives up at a limit that it names, and a training hears of one before."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from envs.errors import SuiteError
from mtrl import evaluate, train
from mtrl.rollout import endless
from mtrl.rollout.endless import EpisodeLimit, LongEpisodes
from mtrl.scoring.scorer import Scorer
from mtrl.training.schedule import Span
from tests.mtrl.conftest import Said, Scripted, metrics, read_json, scripted_suite, weights, zeros

CPU = torch.device("cpu")
ENDLESS = """
    from functools import partial
    from mtrl import Task, TaskSuite
    from tests.envs.failing import Walk

    def walks(limit):
        endless = Task("endless", partial(Walk, 10**9), "Walk.", max_episode_steps=limit)
        return TaskSuite("walks", [Task("calm", Walk, "Walk."), endless])

    suite, mended = walks(None), walks(7)
"""
FLAGS = (
    *("--steps-per-task", "40", "--random-steps", "8", "--envs-per-task", "2", "--batch-per-task", "4"),
    *("--eval-every", "20", "--eval-episodes", "3", "--log-every", "8", "--hidden", "8", "--threads", "1"),
    *("--baseline", "none", "--runs-dir", "runs"),
)


class Endless(Scripted):
    """Never ends."""

    def __init__(self) -> None:
        super().__init__(rewards=(1.0,))

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        return self._obs(), 1.0, False, False, {}


def test_an_evaluation_gives_up_at_the_limit_and_names_task_limit_and_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endless, "MAX_STEPS", 1500)
    scorer = Scorer(scripted_suite(short=Scripted, forever=Endless), 3, 0, CPU)
    with pytest.raises(SuiteError, match="task 'forever': .*1,500 steps, .* 1,500 steps .*max_episode_steps"):
        scorer.score(zeros)


def test_an_episode_that_need_not_be_scored_any_more_may_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first task's one episode is over at once, its next has no end; the other task's is long."""
    monkeypatch.setattr(endless, "MAX_STEPS", 1500)

    class OnceShort(Endless):
        def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
            return self._obs(), 1.0, self.episode == 0, False, {}

        def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict]:
            self.episode += 1
            return self._obs(), {}

    suite = scripted_suite(once=OnceShort, long=partial(Scripted, (1.0,) * 1400))
    scorer = Scorer(suite, [1, 3], 0, CPU)
    monkeypatch.setattr("mtrl.scoring.scorer.MAX_ENVIRONMENTS", 2)
    assert [score.mean_return for score in scorer.score(zeros).values()] == [1.0, 1400.0]


def test_time_without_an_episodes_end_is_a_limit_too_and_a_nap_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of 50 s: 144 of them are two hours. An end begins the time anew; a night's sleep counts for a minute."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(endless.time, "monotonic", lambda: clock.now)

    def steps(limit: EpisodeLimit, count: int, missing: int) -> None:
        for _ in range(count):
            clock.now += 50.0
            limit(lambda: np.array([[False], [True]]), missing)

    limit = EpisodeLimit(("done", "slow"), lambda: np.array([[900], [80]]))
    steps(limit, 140, 3)
    steps(limit, 140, 2)
    clock.now += 50_000.0
    steps(limit, 2, 2)
    with pytest.raises(SuiteError, match="task 'slow': .*2 hours without the end of an episode, .* 80 steps"):
        steps(limit, 3, 2)


def test_training_warns_once_of_the_first_long_episode(capfd: pytest.CaptureFixture[str]) -> None:
    lengths = np.zeros((2, 2), dtype=int)
    look = LongEpisodes(("a", "b"), lambda: lengths)

    def at(step: int) -> str:
        look(SimpleNamespace(span=Span(step - 1, step, 10**6), env_steps=0, updates=0))
        return capfd.readouterr().err

    lengths[1, 0] = 9_999
    assert at(20_000) == ""
    lengths[1, 0] = 10_400
    said = at(20_800)
    assert said.count("\n") == 1
    assert said.startswith("warning: task 'b': an episode has 10,400 steps and has not ended; evaluations give up at ")
    assert at(21_000) == ""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_on_an_endless_task_ends_with_2_and_goes_on_once_it_is_mended(
    workers: int,
    call: Callable[..., Said],
    plug_in: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endless, "MAX_STEPS", 600)
    monkeypatch.setattr(endless, "CHECK_EVERY", 100)
    name = plug_in(ENDLESS, "my_endless")
    said = call(train.main, "--suite", f"{name}:suite", *FLAGS, "--workers", workers)
    assert said.code == 2, said
    (line,) = said.err.splitlines()
    assert line.startswith("error: task 'endless': an evaluation waits no longer than 600 steps")
    run = Path("runs/walks/care/seed0")
    assert {step for step, tag, _ in metrics(run) if tag == "train/critic_loss"} == {16}
    before = weights(run)
    assert all(weight.isfinite().all() for weight in before.values())
    assert f"to continue: python -m mtrl.train --resume {run}" in said.out
    (Path(f"{name}.py")).write_text(Path(f"{name}.py").read_text().replace("walks(None)", "walks(7)"))
    monkeypatch.delitem(sys.modules, name)
    assert call(train.main, "--resume", run, "--suite", f"{name}:suite").code == 0
    assert read_json(run / "result.json")["steps_per_task"] == 40
    monkeypatch.setattr("mtrl.rollout.endless.MAX_STEPS", 5)
    monkeypatch.setattr("mtrl.rollout.endless.CHECK_EVERY", 1)
    again = call(evaluate.main, run, "--suite", f"{name}:suite")
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "waits no longer than 5 steps" in again.err
