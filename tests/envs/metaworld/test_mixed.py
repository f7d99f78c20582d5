"""Engines side by side in one suite: each row is stepped as by its own engine, and C++ works in the meantime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.errors import TaskFailed
from envs.metaworld import lists, mt10, mt50, suite
from envs.metaworld.differs import REWARD_DIFFERS
from envs.metaworld.mixed import MixedEngine
from envs.metaworld.pool import EnvPoolEngine, _warn_of
from envs.stepping.engine import Step
from envs.stepping.failures import RestartingCopies
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import Task, TaskSuite
from tests.envs.failing import Failing, Walk

KINDS = {"ahead-1": "ahead", "beside": "beside", "ahead-2": "ahead"}


class Ahead:
    """Works ahead; a row's observation is 1 + its action; episodes last three steps."""

    obs_size, action_size = 1, 1

    def __init__(self, log: list[str], tasks: Sequence[Task], copies: int) -> None:
        self.log, self.action_mask = log, np.ones((len(tasks), 1), dtype=bool)
        self.names, self.copies = [task.name for task in tasks], copies
        self.resets: list[tuple[list[int], list[int | None]]] = []

    def reset(self, rows: np.ndarray, seeds: Sequence[int | None]) -> np.ndarray:
        self.resets.append((rows.tolist(), [*seeds]))
        self.age = 0
        return np.array(seeds, dtype=np.float32)[:, None]

    def step(self, action: np.ndarray) -> Step:
        raise AssertionError("its actions must be sent first")

    def send(self, action: np.ndarray) -> None:
        self.log.append("send")
        self.sent = action

    def receive(self) -> Step:
        self.log.append("receive")
        self.age += 1
        rows = len(self.sent)
        ended = np.full(rows, self.age == 3)
        return Step(self.sent + 1.0, np.full(rows, 5.0), ~ended & ended, ended, np.zeros(rows))

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        return [np.full((1, 1, 3), row, dtype=np.uint8) for row in rows]

    def close(self) -> None:
        self.log.append("close")


class Noted(RestartingCopies):
    """Environments that note when they step."""

    def __init__(self, log: list[str], tasks: Sequence[Task], copies: int) -> None:
        self.log = log
        super().__init__(tasks, copies)

    def step(self, action: np.ndarray) -> Step:
        self.log.append("step")
        return super().step(action)

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        return [np.full((1, 1, 3), 100 + row, dtype=np.uint8) for row in rows]


def mixed(log: list[str], make: Any = Walk) -> TaskSuite:
    """Return three tasks: two that work ahead, and between them one of ordinary environments."""
    engines = {"ahead": partial(Ahead, log), "beside": partial(Noted, log)}
    tasks = [Task(name, make, "Walk.") for name in KINDS]
    return TaskSuite("mixed", tasks, partial(MixedEngine, engine_of=KINDS, makers=engines))


def test_rows_keep_the_order_of_the_tasks_and_shorter_ones_are_padded() -> None:
    env = MultiTaskVectorEnv(mixed([]), 2)
    assert env.engine.obs_size == 3
    assert env.action_mask.tolist() == [[True, False], [True, True], [True, False]]
    obs, _ = env.reset(seed=[10, 11, 12, 13, 14, 15])
    plain = MultiTaskVectorEnv(TaskSuite("plain", [Task("beside", Walk, "Walk.")]), 2)
    expected, _ = plain.reset(seed=[12, 13])
    np.testing.assert_array_equal(obs[[0, 1, 4, 5]], [[10, 0, 0], [11, 0, 0], [14, 0, 0], [15, 0, 0]])
    np.testing.assert_array_equal(obs[2:4], expected)
    action = np.linspace(-1, 1, 12).reshape(6, 2)
    obs, reward, terminated, truncated, info = env.step(action)
    own, own_reward, *_ = plain.step(action[2:4])
    np.testing.assert_array_equal(obs[2:4], own)
    np.testing.assert_array_equal(reward, np.float32([5, 5, *own_reward, 5, 5]))
    np.testing.assert_allclose(obs[[0, 1, 4, 5], 0], 1 + action[[0, 1, 4, 5], 0], rtol=1e-6)
    assert not (terminated | truncated).any()
    assert info["success"][[0, 1, 4, 5]].tolist() == [0.0] * 4


def test_only_the_rows_that_ended_are_reset_each_in_its_own_engine() -> None:
    env = MultiTaskVectorEnv(mixed([]), 1)
    env.reset(seed=[1, 2, 3])
    for _ in range(3):
        obs, _, _, truncated, _ = env.step(np.zeros((3, 2)))
    engine: Any = env.engine
    ahead = next(part.engine for part in engine._parts if part.ahead)
    assert truncated.tolist() == [True, False, True]
    assert [rows for rows, _ in ahead.resets] == [[0, 1], [0, 1]]
    assert obs[[0, 2], 0] == pytest.approx(np.float32(ahead.resets[1][1]))
    assert obs[1, 2] == 3  # its third step


def test_engines_that_work_ahead_do_so_while_the_others_step() -> None:
    log: list[str] = []
    env = MultiTaskVectorEnv(mixed(log), 1)
    env.reset(seed=0)
    env.step(np.zeros((3, 2)))
    assert log == ["send", "step", "receive"]


def test_pictures_come_from_each_rows_engine_and_all_are_closed() -> None:
    log: list[str] = []
    env = MultiTaskVectorEnv(mixed(log), 2)
    env.reset(seed=0)
    assert [int(picture[0, 0, 0]) for picture in env.render()] == [0, 1, 100, 101, 2, 3]
    env.close()
    assert log == ["close"]


def failing(log: list[str], tmp_path: Path, pattern: str) -> MultiTaskVectorEnv:
    return MultiTaskVectorEnv(mixed(log, partial(Failing, "raise", "step", pattern, str(tmp_path / "log"))), 1)


def test_a_row_whose_environment_fails_is_lost_and_reset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env = failing([], tmp_path, "x")
    env.reset(seed=0)
    env.step(np.zeros((3, 2)))
    _, reward, _, truncated, info = env.step(np.zeros((3, 2)))
    assert info["lost"].tolist() == [False, True, False]
    assert truncated.tolist() == [False, True, False]
    assert reward.tolist() == [5.0, 0.0, 5.0]
    assert "task 'beside', copy 0: step() failed" in capsys.readouterr().err
    assert "lost" not in env.step(np.zeros((3, 2)))[4]


def test_the_third_failure_ends_the_run_and_what_was_sent_is_fetched(tmp_path: Path) -> None:
    log: list[str] = []
    env = failing(log, tmp_path, "xxx")
    env.reset(seed=0)
    for _ in range(5):  # the second step of an episode fails; the one after its reset is its first
        env.step(np.zeros((3, 2)))
    with pytest.raises(TaskFailed, match="3 failures in a row"):
        env.step(np.zeros((3, 2)))
    assert log[-3:] == ["send", "step", "receive"]


def rows_of(engine: str, names: Sequence[str], steps: int) -> Iterator[np.ndarray]:
    """Yield each task's observations, rewards, success and ends, (copies, steps + 1, ...), of two copies."""
    env = MultiTaskVectorEnv(suite("some", names, engine=engine), 2)
    actions = np.random.default_rng(0).uniform(-1, 1, (steps, 1, 4)).repeat(2 * len(names), axis=1)
    seen = [env.reset(seed=5)[0]]
    for action in actions:
        obs, reward, _, truncated, info = env.step(action)
        seen.append(np.column_stack([obs, reward, info["success"], truncated]).astype(np.float32))
    first = np.pad(seen[0], ((0, 0), (0, 3)))
    table = np.stack([first, *seen[1:]], axis=1)
    env.close()
    yield from table.reshape(len(names), 2, steps + 1, -1)


def test_auto_steps_each_task_as_its_engine_alone_does() -> None:
    """Over the end of an episode, bit for bit: the numbers of a row depend on its task, its copy and the seed alone."""
    pytest.importorskip("metaworld")
    pytest.importorskip("envpool")
    names = ("reach-v3", "pick-place-v3", "drawer-close-v3")  # the one in the middle uses the official environment
    reach, pick, drawer = rows_of("auto", names, 510)
    own = [*rows_of("envpool", (names[0], names[2]), 510), *rows_of("farama", (names[1],), 510)]
    for ours, alone in zip((reach, drawer, pick), own, strict=True):
        np.testing.assert_array_equal(ours, alone)


def test_auto_uses_the_official_environments_if_envpools_reward_differs() -> None:
    pytest.importorskip("envpool")
    engines = mt50().facts["training_engines"]
    assert {name for name, engine in engines.items() if engine == "farama"} == set(REWARD_DIFFERS)
    assert {"pick-place-v3", "sweep-into-v3", "soccer-v3", "push-back-v3"} <= set(REWARD_DIFFERS) <= set(lists.MT50)
    assert mt10().only(["push-v3", "pick-place-v3"]).facts["training_engines"] == {
        "push-v3": "envpool",
        "pick-place-v3": "farama",
    }


def test_envpool_alone_warns_about_tasks_with_another_reward(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("envpool")
    _warn_of.cache_clear()
    own = suite("some", ("reach-v3", "pick-place-v3"), engine="envpool")
    assert own.facts["trained_on_another_reward"] == {"pick-place-v3": REWARD_DIFFERS["pick-place-v3"]}
    for _ in range(2):
        EnvPoolEngine(own.tasks, 1)
    warning = "warning: EnvPool's reward differs from Meta-World's in pick-place-v3; use --engine auto"
    assert capsys.readouterr().err.count(warning) == 1
    EnvPoolEngine(own.tasks[:1], 1)
    assert not capsys.readouterr().err
    assert "trained_on_another_reward" not in suite("some", ("reach-v3",), engine="envpool").facts
