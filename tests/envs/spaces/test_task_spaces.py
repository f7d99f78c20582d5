"""A task's own observations as rows: one or many, flat or with parts."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from envs.errors import SuiteError
from envs.spaces.task_spaces import TaskSpaces, spaces_of
from envs.suite import Task


class Shaped(gym.Env[Any, Any]):
    """An environment with a given observation space."""

    def __init__(self, space: gym.Space[Any]) -> None:
        self.observation_space, self.action_space = space, gym.spaces.Box(-2.0, 2.0, (2,))
        self.closed = False

    def close(self) -> None:
        self.closed = True


def box(*shape: int) -> gym.spaces.Box:
    return gym.spaces.Box(-9.0, 9.0, shape)


def spaces(space: gym.Space[Any]) -> TaskSpaces:
    return spaces_of(Task("a", lambda: Shaped(space), "Do a."))


def test_the_environment_is_closed_again() -> None:
    env = Shaped(box(3))
    own = spaces_of(Task("a", lambda: env, "Do a."))
    assert env.closed
    assert (own.obs_size, own.action.size) == (3, 2)


def test_one_observation_is_a_row_and_a_batch_has_as_many() -> None:
    one, single = spaces(box(3)).rows([1, 2, 3])
    assert (one.tolist(), one.dtype, single) == ([[1.0, 2.0, 3.0]], np.float32, True)
    many, single = spaces(box(3)).rows(np.ones((3, 3)))
    assert (many.shape, single) == ((3, 3), False)
    assert spaces(box(3)).rows(np.ones((0, 3)))[0].shape == (0, 3)


def test_a_box_of_more_than_one_dimension_may_be_flat() -> None:
    own = spaces(box(2, 2))
    value = np.arange(4.0).reshape(2, 2)
    for one in (value, value.ravel()):
        rows, single = own.rows(one)
        assert (rows.tolist(), single) == ([[0.0, 1.0, 2.0, 3.0]], True)
    assert own.rows(np.stack([value] * 3))[0].shape == (3, 4)


def test_a_single_observation_with_the_shape_of_a_batch_of_one_is_single() -> None:
    rows, single = spaces(box(1, 3)).rows(np.ones((1, 3)))
    assert (rows.shape, single) == ((1, 3), True)
    assert spaces(box(1, 3)).rows(np.ones((2, 1, 3)))[1] is False


def test_parts_are_flattened_in_the_order_of_their_space() -> None:
    own = spaces(gym.spaces.Dict(b=box(1), a=box(2)))  # b comes first
    rows, single = own.rows({"a": np.array([1.0, 2.0]), "b": np.array([3.0])})
    assert (rows.tolist(), single) == ([[3.0, 1.0, 2.0]], True)
    assert own.rows(np.zeros((5, 3)))[0].shape == (5, 3)


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e39])  # the last is beyond float32
def test_an_observation_that_is_not_finite_is_named_with_its_task(value: float) -> None:
    with pytest.raises(SuiteError, match="task 'a': the observation has (nan|-?inf) in it; expected finite numbers"):
        spaces(box(3)).rows([0.0, value, 0.0])
    with pytest.raises(SuiteError, match="in it; expected finite"):
        spaces(gym.spaces.Dict(b=box(1), a=box(2))).rows({"a": np.zeros(2), "b": np.array([value])})


@pytest.mark.parametrize("obs", [np.zeros(2), np.zeros((2, 4)), np.zeros((1, 1, 3)), np.zeros(()), "abc", {"x": 1}])
def test_what_does_not_fit_is_named_with_the_task(obs: Any) -> None:
    with pytest.raises(SuiteError, match="task 'a': .*observation"):
        spaces(box(3)).rows(obs)


PARTED = gym.spaces.Dict(b=box(1), a=box(2))


@pytest.mark.parametrize(
    ("obs", "message"),
    [
        (
            {"a": np.zeros((4, 2)), "b": np.zeros((4, 1))},
            r"observation\['b'\] of shape \(4, 1\); .* a batch of flat rows",
        ),
        ({"a": np.zeros(5), "b": np.zeros(1)}, r"observation\['a'\] of shape \(5,\); its space has \(2,\)"),
        ({"b": np.zeros(1)}, r"no observation\['a'\]"),
    ],
)
def test_parts_of_another_shape_are_not_flattened(obs: Any, message: str) -> None:
    with pytest.raises(SuiteError, match=f"task 'a': {message}"):
        spaces(PARTED).rows(obs)


def test_a_tuple_is_an_array_where_observations_have_no_parts() -> None:
    rows, single = spaces(box(2)).rows(((1.0, 2.0), (3.0, 4.0)))
    assert (rows.tolist(), single) == ([[1.0, 2.0], [3.0, 4.0]], False)
    rows, single = spaces(gym.spaces.Tuple([box(2), box(1)])).rows((np.ones(2), [2.0]))
    assert (rows.tolist(), single) == ([[1.0, 1.0, 2.0]], True)
