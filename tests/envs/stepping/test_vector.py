"""T x N rows as one vector environment: autoreset, order, seeds, padding, bounds."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from envs.errors import SuiteError
from envs.registry import make_suite
from envs.stepping.vector import MultiTaskVectorEnv, episode_seed
from envs.suite import Task, TaskSuite
from tests.envs.scripted import CALM, Scripted, suite_of


@pytest.mark.parametrize(
    ("terminated", "truncated"), [(True, False), (False, True), (True, True)], ids=["terminated", "truncated", "both"]
)
def test_an_episodes_end_returns_its_true_successor_and_the_next_ones_first(terminated: bool, truncated: bool) -> None:
    script = [CALM, (2.0, terminated, truncated)]
    env = MultiTaskVectorEnv(suite_of(partial(Scripted, script)), 1)
    obs, _ = env.reset(seed=0)
    assert obs[0, :2].tolist() == [0, 0]
    obs, reward, ended, cut, info = env.step(np.zeros((1, 1)))
    assert (obs[0, :2].tolist(), reward[0], ended[0], cut[0]) == ([0, 1], 0.5, False, False)
    assert not info["_final_obs"][0]
    assert info["final_obs"][0, :2].tolist() == [0, 1]
    obs, reward, ended, cut, info = env.step(np.zeros((1, 1)))
    assert (reward[0], ended[0], cut[0]) == (2.0, terminated, truncated)
    assert info["_final_obs"][0]
    assert info["final_obs"][0, :2].tolist() == [0, 2]
    assert obs[0, :2].tolist() == [0, 0]
    assert info["success"][0] == info["is_success"][0] == 1.0
    obs, *_ = env.step(np.zeros((1, 1)))
    assert obs[0, :2].tolist() == [0, 1]


def test_only_the_rows_that_ended_are_reset() -> None:
    short, long = [(0.0, True, False)], [CALM] * 5
    env = MultiTaskVectorEnv(suite_of(partial(Scripted, short), partial(Scripted, long)), 2)
    env.reset(seed=0)
    obs, _, _, _, info = env.step(np.zeros((4, 1)))
    assert info["_final_obs"].tolist() == [True, True, False, False]
    assert obs[:, :2].tolist() == [[0, 0], [0, 0], [0, 1], [0, 1]]
    assert info["final_obs"][:, :2].tolist() == [[0, 1], [0, 1], [0, 1], [0, 1]]


def test_rows_are_ordered_task_by_task() -> None:
    scripts = [[(float(k), False, False)] * 3 for k in range(3)]
    env = MultiTaskVectorEnv(suite_of(*(partial(Scripted, script) for script in scripts)), 2)
    env.reset(seed=0)
    _, reward, *_ = env.step(np.zeros((6, 1)))
    assert reward.tolist() == [0, 0, 1, 1, 2, 2]
    assert env.split(reward).tolist() == [[0, 0], [1, 1], [2, 2]]


def test_a_rows_start_depends_on_seed_task_and_copy_alone() -> None:
    makers = [partial(Scripted, [CALM] * 3)] * 3
    suite = suite_of(*makers)

    def starts(suite: TaskSuite, copies: int, seed: int) -> np.ndarray:
        env = MultiTaskVectorEnv(suite, copies)
        return env.split(env.reset(seed=seed)[0])[..., 2]

    full = starts(suite, 3, 5)
    assert np.array_equal(full, starts(suite, 3, 5))
    assert len(np.unique(full)) == 9
    assert not np.array_equal(full, starts(suite, 3, 6))
    assert np.array_equal(full[1:2, :2], starts(suite.only(["b"]), 2, 5))


def test_episode_seeds_do_not_collide_over_many_runs_tasks_copies_and_episodes() -> None:
    tasks, runs = ("push", "pull", "lift"), range(10)
    seeds = {episode_seed(s, name, k, e) for s in runs for name in tasks for k in range(20) for e in range(5)}
    assert len(seeds) == 3000


def test_unequal_sizes_are_padded_with_zeros_and_masked() -> None:
    small = partial(Scripted, [CALM] * 3, size=2, actions=1)
    large = partial(Scripted, [CALM] * 3, size=5, actions=3)
    env = MultiTaskVectorEnv(suite_of(small, large), 1)
    obs, _ = env.reset(seed=0)
    assert obs.shape == (2, 5)
    assert obs.dtype == np.float32
    assert obs[0, 2:].tolist() == [0, 0, 0]
    assert obs[1, 3:].tolist() == [9, 9]
    assert env.action_mask.tolist() == [[True, False, False], [True, True, True]]
    env.step(np.ones((2, 3)))
    assert [len(row.env.received[0]) for row in env.engine._rows] == [1, 3]


@pytest.mark.parametrize(("action", "expected"), [(-1.0, -3.0), (0.0, -1.0), (0.5, 0.0), (1.0, 1.0), (7.0, 1.0)])
def test_actions_are_scaled_exactly_to_the_tasks_own_bounds(action: float, expected: float) -> None:
    env = MultiTaskVectorEnv(suite_of(partial(Scripted, [CALM] * 3, low=-3.0, high=1.0)), 1)
    env.reset(seed=0)
    env.step(np.full((1, 1), action))
    received = env.engine._rows[0].env.received[0]
    assert received.dtype == np.float32
    assert received.tolist() == [expected]


@pytest.mark.parametrize("shape", [(4, 1), (4, 3), (3, 2), (5, 2), (2, 2, 2), (8,)])
def test_actions_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    suite = suite_of(partial(Scripted, [CALM] * 3), partial(Scripted, [CALM] * 3, actions=2))
    for one in (suite, make_suite("tabletop").only(["push", "reach"])):
        env = MultiTaskVectorEnv(one, 2)
        env.reset(seed=0)
        env.step(np.zeros((4, env.engine.action_size)))
        if shape != env.action_space.shape:
            with pytest.raises(SuiteError, match=r"the actions have shape .*; expected \(4, [23]\), a row for each"):
                env.step(np.zeros(shape))


@pytest.mark.parametrize("seeds", [[], [1, 2, 3], [1] * 5])
def test_a_list_of_seeds_has_one_for_each_row(seeds: list[int | None]) -> None:
    env = MultiTaskVectorEnv(suite_of(partial(Scripted, [CALM] * 3)), 4)
    with pytest.raises(SuiteError, match=f"{len(seeds)} seeds are given for 4 rows"):
        env.reset(seed=seeds)


def test_success_is_nan_if_a_task_does_not_report_it() -> None:
    class Silent(Scripted):
        def info(self) -> dict:
            return {}

    env = MultiTaskVectorEnv(suite_of(partial(Silent, [CALM] * 3)), 1)
    env.reset(seed=0)
    assert np.isnan(env.step(np.zeros((1, 1)))[4]["success"][0])


def test_a_tasks_time_limit_truncates() -> None:
    task = Task("a", partial(Scripted, [CALM] * 9), "Stop early.", max_episode_steps=2)
    env = MultiTaskVectorEnv(TaskSuite("limited", [task]), 1)
    env.reset(seed=0)
    flags = [env.step(np.zeros((1, 1)))[3][0] for _ in range(4)]
    assert flags == [False, True, False, True]


def test_it_is_a_gymnasium_vector_env_that_gymnasiums_wrappers_accept() -> None:
    env = MultiTaskVectorEnv(make_suite("tabletop"), 2)
    assert isinstance(env, VectorEnv)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert env.num_envs == 20
    wrapped = RecordEpisodeStatistics(env, stats_key="theirs")
    obs, _ = wrapped.reset(seed=0)
    assert env.observation_space.contains(obs)
    for _ in range(200):
        *_, info = wrapped.step(env.action_space.sample())
    assert info["episode"]["l"].tolist() == info["theirs"]["l"].tolist() == [100] * 20
    np.testing.assert_allclose(info["episode"]["r"], info["theirs"]["r"])
    assert info["_episode"].tolist() == info["_theirs"].tolist() == [True] * 20


def test_pictures_come_from_every_row() -> None:
    env = MultiTaskVectorEnv(make_suite("tabletop").only(["reach", "push"]), 2, render_mode="rgb_array")
    env.reset(seed=0)
    assert [picture.shape for picture in env.render()] == [(256, 256, 3)] * 4


@pytest.mark.parametrize("copies", [0, -1, 10**12])
def test_a_number_of_copies_out_of_range_is_refused_before_any_is_made(copies: int) -> None:
    with pytest.raises(SuiteError, match=f"copies is {copies}; it must be from 1 to 1000000"):
        MultiTaskVectorEnv(make_suite("tabletop"), copies)
