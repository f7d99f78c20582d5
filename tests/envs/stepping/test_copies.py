"""Whatever an environment does wrong is reported in one line that names its task."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from envs.errors import SuiteError
from envs.stepping.copies import CheckedEnv
from envs.suite import Task
from tests.envs.scripted import CALM, Scripted

BOX, DICT, TUPLE = gym.spaces.Box, gym.spaces.Dict, gym.spaces.Tuple
LINE = BOX(-1.0, 1.0, (2,))


def checked(make: Callable[..., Any]) -> CheckedEnv:
    task = Task("odd", make, "Do something odd.")
    return CheckedEnv(task, task.make_env())


def with_spaces(obs: gym.Space[Any] | None = None, action: gym.Space[Any] | None = None) -> Callable[[], Scripted]:
    def make() -> Scripted:
        env = Scripted([CALM] * 3)
        env.observation_space = env.observation_space if obs is None else obs
        env.action_space = env.action_space if action is None else action
        return env

    return make


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (with_spaces(obs=BOX(0, 255, (8, 8, 3), np.uint8)), r"observation is a picture, Box of shape \(8, 8, 3\)"),
        (with_spaces(obs=BOX(0, 255, (8, 8), np.uint8)), r"observation is a picture, Box of shape \(8, 8\)"),
        (with_spaces(obs=DICT({"a": LINE, "eye": BOX(0, 255, (8, 8, 3), np.uint8)})), r"\['eye'\] is a picture"),
        (with_spaces(obs=DICT({"a": TUPLE([LINE, gym.spaces.Text(3)])})), r"observation\['a'\]\[1\] is Text"),
        (with_spaces(obs=DICT({})), "observation has no parts"),
        (with_spaces(obs=gym.spaces.Sequence(LINE)), "observation is Sequence"),
        (with_spaces(obs=gym.spaces.Discrete(4)), r"observation is Discrete\(4\)"),
        (with_spaces(obs=BOX(-1, 1, (0,))), r"observation Box of shape \(0,\) has no dimensions"),
        (with_spaces(action=gym.spaces.Discrete(4)), r"action space Discrete\(4\)"),
        (with_spaces(action=BOX(-np.inf, np.inf, (2,))), "no finite bounds"),
        (with_spaces(action=BOX(-3.4e38, 3.4e38, (2,))), "no finite bounds"),
        (with_spaces(action=BOX(-1, 1, (0,))), r"action space Box of shape \(0,\) has no dimensions"),
        (with_spaces(action=BOX(-1, 1, (2, 2))), r"action space Box of shape \(2, 2\)"),
    ],
)
def test_unsupported_spaces_are_refused_with_what_is_supported(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(SuiteError, match=f"'odd': .*{message}.*supported are Box observations, alone or in") as caught:
        checked(make)
    assert "\n" not in str(caught.value)


class Returns(Scripted):
    """Returns ``instead`` in place of the observation, the reward or the whole step."""

    def __init__(self, **instead: Any) -> None:
        super().__init__([CALM] * 3)
        self.instead = instead

    def step(self, action: np.ndarray) -> Any:
        obs, reward, terminated, truncated, info = super().step(action)
        if "result" in self.instead:
            return self.instead["result"]
        return (
            self.instead.get("obs", obs),
            self.instead.get("reward", reward),
            self.instead.get("terminated", terminated),
            truncated,
            info,
        )


@pytest.mark.parametrize(
    ("instead", "message"),
    [
        ({"obs": np.zeros(2)}, r"shape \(2,\); its space has \(3,\)"),
        ({"obs": np.zeros(1)}, r"shape \(1,\)"),
        ({"obs": np.zeros((1, 3))}, r"shape \(1, 3\)"),
        ({"obs": np.array([0.0, np.nan, 0.0])}, "nan at index 1"),
        ({"obs": np.array([0.0, 0.0, -np.inf])}, "-inf at index 2"),
        ({"obs": np.array(["a", "b", "c"])}, "dtype <U1"),
        ({"obs": np.array([object()] * 3)}, "dtype object"),
        ({"obs": np.array([True] * 3)}, "dtype bool"),
        ({"reward": np.nan}, "reward nan"),
        ({"reward": -np.inf}, "reward -inf"),
        ({"reward": "1"}, "reward '1'"),
        ({"reward": None}, "reward None"),
        ({"reward": np.zeros(2)}, "reward"),
        ({"reward": 1j}, "reward 1j"),
        ({"terminated": "yes"}, "terminated='yes'"),
        ({"terminated": 2}, "terminated=2"),
        ({"result": (np.zeros(3), 0.0, False, {})}, "not return .observation, reward, terminated, truncated, info"),
    ],
)
def test_a_bad_step_is_named(instead: dict[str, Any], message: str) -> None:
    env = checked(partial(Returns, **instead))
    env.reset(0)
    with pytest.raises(SuiteError, match=f"task 'odd': .*{message}") as caught:
        env.step(np.zeros(1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("obs", [np.zeros(3, np.float32), np.zeros(3, np.int64), [0.0, 0.0, 0.0]])
def test_numbers_of_other_types_are_accepted(obs: Any) -> None:
    env = checked(partial(Returns, obs=obs))
    env.reset(0)
    assert env.step(np.zeros(1))[0].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", [bool, int, np.int64, np.array, lambda flag: np.array([flag])])
def test_flags_may_be_arrays_of_one(kind: Callable[[bool], Any]) -> None:
    for flag in (True, False):
        env = checked(partial(Returns, terminated=kind(flag)))
        env.reset(0)
        assert env.step(np.zeros(1))[2] is flag


@pytest.mark.parametrize("flag", [0.0, np.array([True, False]), np.array([2]), None])
def test_other_flags_are_refused(flag: Any) -> None:
    env = checked(partial(Returns, terminated=flag))
    env.reset(0)
    with pytest.raises(SuiteError, match="step.. returned terminated=.*; expected True or False"):
        env.step(np.zeros(1))


@pytest.mark.parametrize(
    ("info", "success"),
    [
        ({"success": np.array(True)}, 1.0),
        ({"is_success": np.array([False])}, 0.0),
        ({"is_success": np.array([0.5])}, 0.5),
        ({"success": False, "is_success": True}, 0.0),
        ({}, np.nan),
    ],
)
def test_success_may_be_an_array_of_one(info: dict[str, Any], success: float) -> None:
    env = checked(partial(Returns, result=(np.zeros(3), 0.0, False, False, info)))
    env.reset(0)
    assert np.array_equal(env.step(np.zeros(1))[4], success, equal_nan=True)


class Raises(Scripted):
    def __init__(self, where: str) -> None:
        if where == "constructor":
            raise RuntimeError("no simulator here\nsecond line")
        super().__init__([CALM] * 3)
        self.where = where

    def reset(self, **kwargs: Any) -> Any:
        if self.where == "reset":
            raise RuntimeError("no reset")
        return super().reset(**kwargs) if self.where != "old api" else np.zeros(3)

    def step(self, action: np.ndarray) -> Any:
        raise RuntimeError("no step")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("constructor", "making its environment failed: RuntimeError: no simulator here"),
        ("reset", r"reset\(\) failed: RuntimeError: no reset"),
        ("step", r"step\(\) failed: RuntimeError: no step"),
        ("old api", r"reset\(\) did not return \(observation, info\)"),
    ],
)
def test_an_exception_is_reported_with_its_task(where: str, message: str) -> None:
    def play() -> None:
        env = checked(partial(Raises, where))
        env.reset(0)
        env.step(np.zeros(1))

    with pytest.raises(SuiteError, match=f"task 'odd': {message}") as caught:
        play()
    assert "\n" not in str(caught.value)


def test_half_precision_actions_are_bounded_too() -> None:
    assert checked(with_spaces(action=BOX(-1, 1, (2,), np.float16))).action_size == 2


@pytest.mark.parametrize("space", ["observation_space", "action_space"])
def test_an_environment_without_a_space_is_named(space: str) -> None:
    def make() -> Scripted:
        env = Scripted([CALM])
        delattr(env, space)
        return env

    with pytest.raises(SuiteError, match=f"'odd': its environment has no {space}"):
        checked(make)


def test_make_must_return_an_environment() -> None:
    with pytest.raises(SuiteError, match=r"'odd': make\(\) returned int"):
        checked(lambda: 3)


class Draws(Scripted):
    """Returns ``picture`` from ``render``, or raises it."""

    def __init__(self, picture: Any) -> None:
        super().__init__([CALM] * 3)
        self.picture = picture

    def render(self) -> Any:
        if isinstance(self.picture, Exception):
            raise self.picture
        return self.picture


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (None, r"render\(\) did not return an .H, W, 3. image"),
        (np.zeros((4, 4)), r"render\(\) did not return an .H, W, 3. image"),
        (np.full((4, 4, 3), 0.5), r"render\(\) returned an image of dtype float64; return uint8"),
        (ImportError("pygame is not installed"), r"render\(\) failed: ImportError: pygame"),
    ],
)
def test_an_environment_that_cannot_draw_is_named(picture: Any, message: str) -> None:
    with pytest.raises(SuiteError, match=f"task 'odd': {message}"):
        checked(partial(Draws, picture)).render()
