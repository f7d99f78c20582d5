"""The facts beside a report's figures are those of all its runs, not of the first one."""

from __future__ import annotations

from pathlib import Path

from mtrl.comparison.compare import compare
from mtrl.gathering.gather import gather
from mtrl.reporting.protocol import protocol_of
from tests.mtrl.made_runs import make_run


def test_runs_that_were_evaluated_differently_and_with_other_versions_are_all_told(tmp_path: Path) -> None:
    make_run(tmp_path, "care", eval_every=500, eval_episodes=10)
    make_run(tmp_path, "single-task", eval_every=1_000, eval_episodes=10, facts={"versions": {"torch": "2.1"}})
    gathered = gather([tmp_path])
    told = dict(protocol_of(gathered, compare(gathered), {}))
    assert told["curves"] == (
        "every 500 steps per task, 10 episodes per task; every 1,000 steps per task, 10 episodes per task"
    )
    assert told["versions"] == "torch 2.0; torch 2.1"
    assert told["seeds"] == "0"


def test_what_all_runs_have_in_common_is_told_once(tmp_path: Path) -> None:
    for agent in ("care", "single-task"):
        make_run(tmp_path, agent, eval_every=500, eval_episodes=10)
    gathered = gather([tmp_path])
    told = dict(protocol_of(gathered, compare(gathered), {}))
    assert told["curves"] == "every 500 steps per task, 10 episodes per task"
    assert told["versions"] == "torch 2.0"
