"""What every built-in suite has to keep to; a suite is tested by being registered."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from envs.check import check_suite
from envs.errors import MissingExtra
from envs.registry import BUILT_IN, make_suite
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import Task, TaskSuite

ALL, SOME = 10, 4  # more tasks than this are a large suite, of which about so many are stepped


def spread(tasks: Sequence[Task]) -> Sequence[Task]:
    """All tasks of a small suite, an even spread of a large one's."""
    return tasks if len(tasks) <= ALL else tasks[:: len(tasks) // SOME]


@pytest.fixture(scope="module", params=sorted(BUILT_IN))
def whole(request: pytest.FixtureRequest) -> TaskSuite:
    """A built-in suite; skipped where its extra is not installed."""
    try:
        suite = make_suite(request.param)
        suite.tasks[0].make_env().close()
    except MissingExtra as missing:
        pytest.skip(str(missing))
    return suite


@pytest.fixture(scope="module")
def suite(whole: TaskSuite) -> TaskSuite:
    return replace(whole, tasks=spread(whole.tasks), held_out=spread(whole.held_out))


def test_no_task_has_a_problem(suite: TaskSuite) -> None:
    reports = [*check_suite(suite), *(check_suite(suite.held_out_suite()) if suite.held_out else ())]
    assert [problem for report in reports for problem in report.problems] == []
    assert [remark for report in reports for remark in report.remarks if "global random" in remark] == []


def test_names_and_sentences_tell_all_tasks_apart(whole: TaskSuite) -> None:
    tasks = [*whole.tasks, *whole.held_out]
    assert len({task.name for task in tasks}) == len({task.description for task in tasks}) == len(tasks)


def test_names_can_be_typed_and_be_parts_of_a_path(whole: TaskSuite) -> None:
    for task in (*whole.tasks, *whole.held_out):
        assert not set(task.name) & set(" /\\:,;*?\"'"), task.name


def test_tasks_travel_to_other_processes(whole: TaskSuite) -> None:
    tasks = [*whole.tasks, *whole.held_out]
    loaded = pickle.loads(pickle.dumps(tasks))
    assert [(task.name, task.parameters) for task in loaded] == [(task.name, task.parameters) for task in tasks]
    there, here = loaded[0].make_env(), tasks[0].make_env()
    assert (there.observation_space, there.action_space) == (here.observation_space, here.action_space)
    there.close()
    here.close()


def test_same_seed_same_numbers_within_the_spaces(suite: TaskSuite) -> None:
    seen = []
    for _ in range(2):
        env = MultiTaskVectorEnv(suite, 2)
        obs, _ = env.reset(seed=4)
        generator = np.random.default_rng(0)
        rows = [obs]
        for _ in range(20):
            obs, reward, *_ = env.step(generator.uniform(-1, 1, env.action_space.shape).astype(np.float32))
            rows += [obs, reward]
        assert env.observation_space.contains(np.asarray(obs))
        seen.append(np.concatenate([np.ravel(row) for row in rows]))
        env.close()
    assert np.array_equal(*seen)
