"""Observations with parts become one row, in the space's order, and a part that does not fit is named."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple

from envs.check import check_suite
from envs.errors import SuiteError
from envs.stepping.copies import CheckedEnv
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import Task, TaskSuite
from tests.envs.scripted import CALM, Scripted

ARM = Dict({"where": Box(-9.0, 9.0, (2,), np.float64), "grip": Discrete(3, start=1), "goal": Box(-9.0, 9.0, (1, 2))})
FITTING = {"where": np.array([0.25, -2.0]), "grip": 2, "goal": np.array([[5.0, 6.0]])}


class Returns(Scripted):
    """Ends after two steps, and returns ``obs`` of ``space`` at each."""

    def __init__(self, space: gym.Space[Any], obs: Any, **kwargs: Any) -> None:
        super().__init__([CALM, (0.5, False, True)])
        self.observation_space, self.obs = space, obs

    def _obs(self) -> Any:
        return self.obs


def first(space: gym.Space[Any], obs: Any) -> np.ndarray:
    """Return the row of the first observation."""
    task = Task("odd", partial(Returns, space, obs), "Do something odd.")
    return CheckedEnv(task, task.make_env()).reset(0)


@pytest.mark.parametrize(
    ("space", "obs", "row"),
    [
        (ARM, FITTING, [5, 6, 0, 1, 0, 0.25, -2]),  # Gymnasium sorts a Dict's keys
        (Tuple([Box(-9, 9, (2,)), Box(-9, 9, (1,))]), (np.array([1.0, 2.0]), np.array([3.0])), [1, 2, 3]),
        (Tuple([Box(-9, 9, (1,)), Box(-9, 9, (1,))]), [[4.0], [5.0]], [4, 5]),
        (Box(-9, 9, (2, 2)), np.array([[1.0, 2.0], [3.0, 4.0]]), [1, 2, 3, 4]),
        (Box(-9, 9, ()), np.array(7.0), [7]),
        (
            Dict({"a": Dict({"b": Box(-9, 9, (1,))}), "c": Tuple([MultiBinary(2)])}),
            {"a": {"b": [1.5]}, "c": ([1, 0],)},
            [1.5, 1, 0],
        ),
        (Dict({"a": MultiDiscrete([2, 3])}), {"a": np.array([1, 2])}, [0, 1, 0, 0, 1]),
        (Dict({"n": Box(0, 2**31 - 1, (2,), np.int32)}), {"n": [0, 2**31 - 1]}, [0, 2**31]),  # the nearest float32
    ],
    ids=["dict", "tuple", "list", "matrix", "number", "nested", "categories", "ends"],
)
def test_parts_become_one_row_of_float32(space: gym.Space[Any], obs: Any, row: list[float]) -> None:
    flat = first(space, obs)
    assert flat.dtype == np.float32
    assert flat.tolist() == row


def test_a_flat_box_is_unchanged() -> None:
    env = Scripted([CALM])
    assert CheckedEnv(Task("a", lambda: env, "Do a."), env).env is env


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"goal": None}, r"returned observation\['goal'\] None, of type NoneType; expected numbers"),
        ({"goal": np.zeros(2)}, r"returned observation\['goal'\] of shape \(2,\); its space has \(1, 2\)"),
        ({"where": np.array([0.0, np.nan])}, r"returned observation\['where'\] with nan in it"),
        ({"where": np.array([0.0, 1e300])}, r"returned observation\['where'\] with inf in it"),
        ({"where": np.array(["a", "b"])}, r"returned observation\['where'\].*dtype <U1"),
        ({"grip": 0}, r"returned observation\['grip'\] 0; its space is Discrete\(3, start=1\)"),
        ({"grip": 4}, r"returned observation\['grip'\] 4"),
        ({"grip": 1.5}, r"returned observation\['grip'\] 1\.5"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_part_that_does_not_fit_is_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(SuiteError, match=rf"task 'odd': reset\(\) {message}") as caught:
        first(ARM, {**FITTING, **changed})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("space", "obs", "message"),
    [
        (ARM, {"where": FITTING["where"], "grip": 2}, r"returned no observation\['goal'\]"),
        (ARM, np.zeros(3), "of dtype float64; its space is Dict"),
        (Tuple([Box(-9, 9, (1,))]), (np.zeros(1), np.zeros(1)), "of 2 parts; its space has 1"),
        (Tuple([Box(-9, 9, (1,))]), np.zeros(1), "of dtype float64; its space is Tuple"),
        (
            Dict({"n": Box(0, 9, (2,), np.int64)}),
            {"n": np.array([1.0, 2.5])},
            "int64, which would truncate fractions",
        ),
        (Dict({"n": Box(0, 255, (1,), np.uint8)}), {"n": np.array([300])}, "uint8, which cannot hold it"),
        (Dict({"n": Box(0, 255, (1,), np.uint8)}), {"n": np.array([-1.0])}, "uint8, which cannot hold it"),
    ],
)
def test_missing_or_wrong_parts_are_named(space: gym.Space[Any], obs: Any, message: str) -> None:
    with pytest.raises(SuiteError, match=rf"task 'odd': reset\(\) (returned .*)?{message}"):
        first(space, obs)


def test_the_vector_environment_and_the_check_see_rows() -> None:
    suite = TaskSuite("s", [Task("arm", partial(Returns, ARM, FITTING), "Move."), Task("flat", _flat, "Stay.")])
    env = MultiTaskVectorEnv(suite, 2)
    obs, _ = env.reset(seed=0)
    assert obs[0].tolist() == [5, 6, 0, 1, 0, 0.25, -2]
    assert obs[2][3:].tolist() == [0, 0, 0, 0]  # padded
    obs, *_, info = env.step(np.zeros((4, 1), np.float32))
    assert info["final_obs"][1].tolist() == [5, 6, 0, 1, 0, 0.25, -2]
    report = check_suite(suite)[0]
    assert (report.problems, report.remarks, report.obs_size) == ((), (), 7)


def _flat(**kwargs: Any) -> Scripted:
    return Scripted([CALM, (0.5, False, True)])
