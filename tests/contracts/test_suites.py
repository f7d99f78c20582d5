"""What every built-in suite has to keep to; a suite is tested by being registered."""

from __future__ import annotations

import numpy as np
import pytest

from envs.check import check_suite
from envs.suite import BUILT_IN, make_suite
from envs.vector import MultiTaskVectorEnv

pytestmark = pytest.mark.parametrize("name", sorted(BUILT_IN))


def test_no_task_has_a_problem(name: str) -> None:
    assert [problem for report in check_suite(make_suite(name)) for problem in report.problems] == []


def test_sentences_tell_the_tasks_apart(name: str) -> None:
    suite = make_suite(name)
    assert len(set(suite.descriptions)) == len(suite.tasks)


def test_same_seed_same_numbers_within_the_spaces(name: str) -> None:
    suite = make_suite(name)
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
