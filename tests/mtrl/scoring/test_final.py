"""Final scores: fixed starts once each, the suite's own environments on its wish, random actions beside returns."""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from envs.registry import make_suite
from envs.suite import Task, TaskSuite
from mtrl.config import TrainConfig
from mtrl.scoring.final import episodes_of, final_scores, play
from tests.mtrl.conftest import Scripted, scripted_suite, zeros

FLOOR = ("random_success_any", "random_success_last", "random_return")
CPU = torch.device("cpu")
CONFIG: TrainConfig[Any] = TrainConfig(eval_episodes=4)


class Mover(gym.Env[np.ndarray, np.ndarray]):
    """Ten steps, rewarded with start + action; the start is drawn, or the seed's where there are fixed ones."""

    def __init__(self, starts: int = 0) -> None:
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (1,))
        self.action_space = gym.spaces.Box(-1.0, 1.0, (1,))
        self.starts = starts

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        assert seed is not None
        self.start = float(seed % self.starts) if self.starts else float(self.np_random.uniform(0, 100))
        self.t = 0
        return np.full(1, self.start, np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.t += 1
        return np.full(1, self.start, np.float32), self.start + float(action[0]), False, self.t == 10, {}


class Threshold(Scripted):
    """One step, solved by an action above a number."""

    def __init__(self, least: float) -> None:
        super().__init__()
        self.least = least

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.success = (float(action[0] > self.least),)
        return super().step(action)


def movers(starts: int = 0) -> TaskSuite:
    return TaskSuite("movers", [Task(n, partial(Mover, starts), f"Move {n}.", starts=starts) for n in ("a", "b")])


def test_a_task_with_fixed_starts_is_scored_on_each_of_them_once() -> None:
    """Starts 0 to 6 give returns 0, 10, ..., 60; the task beside it has the run's four episodes."""
    fixed, drawn = Task("fixed", partial(Mover, 7), "Move.", starts=7), Task("drawn", partial(Mover, 0), "Move on.")
    suite = TaskSuite("s", [fixed, drawn])
    assert episodes_of(suite, 4) == [7, 4]
    result = final_scores(CONFIG, suite, zeros, CPU)
    assert [entry["episodes"] for entry in result["tasks"].values()] == [7, 4]
    assert result["tasks"]["fixed"]["return"] == pytest.approx(30.0)
    assert result["protocol"]["episodes"] == {"fixed": 7, "drawn": 4}
    assert result["protocol"]["starts"] == "fixed where a task has such"


def test_random_actions_play_from_the_same_starts() -> None:
    """Ten uniform actions sum to 0 on average, give or take 1.8, so the starts, of up to 1,000, must be the same."""
    result = play(CONFIG, movers(), zeros, [4, 4], 9, CPU)
    for entry in result["tasks"].values():
        assert entry["random_return"] != entry["return"]
        assert entry["random_return"] == pytest.approx(entry["return"], abs=10)
    assert play(CONFIG, movers(), zeros, [4, 4], 9, CPU) == result
    other = play(CONFIG, movers(), zeros, [4, 4], 10, CPU)
    assert abs(other["tasks"]["a"]["random_return"] - result["tasks"]["a"]["random_return"]) > 10


def test_every_task_has_its_floor_and_success_where_the_task_says_it() -> None:
    says, silent = partial(Scripted, (1.0, 1.0), success=(1.0, 0.0)), partial(Scripted, (3.0,))
    result = play(CONFIG, scripted_suite(a=says, b=silent), zeros, [2, 2], 0, CPU)
    floors = [{key: entry[key] for key in FLOOR} for entry in result["tasks"].values()]
    assert [list(floor.values()) for floor in floors] == [[1.0, 0.0, 2.0], [None, None, 3.0]]
    assert [result["mean"][key] for key in FLOOR] == [1.0, 0.0, 2.5]


def test_the_floor_is_that_of_uniform_actions_not_of_the_policy() -> None:
    """Acting above .9 solves a step: the policy always does, one uniform action in twenty; 400 steps are .05 +- .03."""
    suite = scripted_suite(a=partial(Threshold, 0.9), b=partial(Threshold, -1.5))
    result = play(CONFIG, suite, torch.ones_like, [400, 400], 0, CPU)
    assert [entry["success_last"] for entry in result["tasks"].values()] == [1.0, 1.0]
    assert result["tasks"]["a"]["random_success_last"] == pytest.approx(0.05, abs=0.04)
    assert result["tasks"]["b"]["random_success_last"] == 1.0


def test_scores_come_from_the_suites_own_environments_where_it_says_so() -> None:
    def no_simulator(*_: Any) -> Any:
        raise AssertionError("the simulator was asked")

    suite = dataclasses.replace(movers(), simulator=no_simulator, score_in_environments=True)
    result = play(CONFIG, suite, zeros, [1, 1], 0, CPU)
    assert (result["protocol"]["trained_in"], result["protocol"]["scored_in"]) == ("simulator", "environments")
    with pytest.raises(AssertionError, match="the simulator was asked"):
        play(CONFIG, dataclasses.replace(suite, score_in_environments=False), zeros, [1, 1], 0, CPU)


def test_the_protocol_says_how_the_scores_were_come_by() -> None:
    suite = make_suite("tabletop").only(["reach"])
    result = play(CONFIG, suite, lambda obs: torch.zeros(*obs.shape[:2], 3), [3], 0, CPU)
    assert result["protocol"] == {
        "episodes": 3,
        "starts": "drawn",
        "success": "success_any: at any step of the episode; success_last: at its last",
        "trained_in": "simulator",
        "scored_in": "simulator",
    }


def test_whatever_a_suite_states_is_written_as_json() -> None:
    """A run must not end on what somebody wrote beside its suite."""
    facts = {
        "reward": "v2",
        "sizes": (np.int64(3), np.float32(0.5)),
        "goals": np.arange(2),
        "where": Path("a/b"),
        "worst": float("nan"),
        7: {"deep": {1}},
        "engine": "the suite's own word",
    }
    config = dataclasses.replace(CONFIG, engine="envpool", reward_version="v2")
    suite = dataclasses.replace(movers(2), facts=facts)
    protocol = play(config, suite, zeros, [2, 2], 0, CPU)["protocol"]
    assert json.loads(json.dumps(protocol, allow_nan=False)) == {
        "engine": "the suite's own word",
        "reward_version": "v2",
        "reward": "v2",
        "sizes": [3, 0.5],
        "goals": [0, 1],
        "where": "a/b",
        "worst": "nan",
        "7": {"deep": [1]},
        "episodes": 2,
        "starts": "fixed, each in turn",
        "success": "success_any: at any step of the episode; success_last: at its last",
        "trained_in": "environments",
        "scored_in": "environments",
    }


def test_a_tasks_group_stands_beside_its_scores() -> None:
    one, other = movers().tasks
    suite = TaskSuite("movers", [dataclasses.replace(one, group="moving"), other])
    scores = play(CONFIG, suite, zeros, [4, 4], 0, CPU)["tasks"]
    assert [entry.get("group") for entry in scores.values()] == ["moving", None]
