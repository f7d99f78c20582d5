"""Other people's environments cannot be saved: runs in them go on at an episode's start, which is said and counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envs.stepping.vector import MultiTaskVectorEnv, broken_off
from mtrl import train
from mtrl.checkpoints.saving import Saving
from tests.mtrl.checkpoints.test_resume import compared, run_of
from tests.mtrl.conftest import Scripted, read_json, same_weights, scripted_suite
from tests.mtrl.holding import HOLDING, hold

EPISODE = 5  # steps, in the tasks to hold a number
ARGUMENTS = ("--agent", "mtsac", "--eval-every", "24", "--log-every", "8")
SUITE = ("--suite", "holding_suite:suite")


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def killed_after(monkeypatch: pytest.MonkeyPatch, plug_in: Callable[..., str]) -> Callable[..., None]:
    """``killed_after(steps)``: be killed once so many steps of each of the two copies were saved."""
    plug_in(HOLDING, "holding_suite")

    def arrange(steps: int) -> None:
        def call(self: Saving, now: Any) -> None:
            if now.span.step == 2 * steps:
                assert self.save(now.span.step)
                raise Killed

        monkeypatch.setattr(Saving, "__call__", call)

    return arrange


@pytest.mark.parametrize("workers", ["0", "2"])
def test_between_two_episodes_nothing_is_dropped_and_the_numbers_are_those_of_a_run_that_was_not_killed(
    workers: str, tmp_path: Path, killed_after: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [*ARGUMENTS, "--workers", workers]
    assert train.main(hold(tmp_path / "whole", *arguments)) == 0
    killed_after(4 * EPISODE)
    with pytest.raises(Killed):
        train.main(hold(tmp_path / "killed", *arguments))
    monkeypatch.undo()
    whole, run = (run_of(tmp_path / name, "mtsac", "holding") for name in ("whole", "killed"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert train.main(["--resume", str(run), *SUITE]) == 0
    assert same_weights(run, whole)
    assert compared(run) == compared(whole)
    assert read_json(run / "config.json")["resumed"] == [{"step": 40, "dropped_episodes": 0}]


def test_episodes_that_a_kill_breaks_off_are_counted_and_said(
    tmp_path: Path,
    killed_after: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    killed_after(4 * EPISODE + 2)
    with pytest.raises(Killed):
        train.main(hold(tmp_path, *ARGUMENTS))
    monkeypatch.setattr(Saving, "__call__", lambda self, now: None)
    run = run_of(tmp_path, "mtsac", "holding")
    capsys.readouterr()
    assert train.main(["--resume", str(run), *SUITE]) == 0
    said = "running episodes dropped, since their environments cannot be saved: 6"  # three tasks, two copies
    assert said in capsys.readouterr().out
    assert read_json(run / "config.json")["resumed"] == [{"step": 44, "dropped_episodes": 6}]


def test_only_rows_in_the_middle_of_an_episode_begin_the_next_one() -> None:
    suite = scripted_suite(short=lambda: Scripted([1.0] * 2), long=lambda: Scripted([1.0] * 4))
    env = MultiTaskVectorEnv(suite, copies=1)
    env.reset(seed=3)
    for _ in range(2):
        env.step(env.action_space.sample())
    state = env.state_dict()
    seeds = [env._next_seed(row) for row in range(2)]
    assert broken_off(state) == 1  # that of long
    other = MultiTaskVectorEnv(suite, copies=1)
    other.load_state_dict(state)
    assert other._next_seed(0) == seeds[0]  # which short has just begun
    assert (other._episodes.tolist(), env._episodes.tolist()) == ([1, 1], [1, 0])
    assert broken_off(other.state_dict()) == 0
