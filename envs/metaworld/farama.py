"""Meta-World's own environments, made to follow Gymnasium's contract: seeds work, copies differ, nothing is shared."""

from __future__ import annotations

import importlib
import pickle
import warnings
import zlib
from importlib import metadata
from typing import Any

import gymnasium as gym
import numpy as np

from envs.errors import SuiteError, need
from envs.metaworld.fast import fast

STARTS = 50  # goals of a task, as in every Meta-World benchmark
INSTALL_COMMAND = "pip install -e '.[metaworld]'"
CAMERA = "corner4"


class MetaWorldEnv(gym.Wrapper[Any, Any, Any, Any]):
    """One of Meta-World's v3 tasks with its goal observed (Yu et al. 2019; Meta-World+, McLean et al. 2025).

    The observation, (39,) float64: hand x y z (m), gripper opening in [0, 1], 14 numbers of object positions (m) and
    quaternions, the same 18 a step before, goal x y z (m). The action, (4,) in [-1, 1]: hand dx dy dz (cm), grip.
    ``reset(seed=s)`` selects goal ``s % 50`` of the task's fifty; without a seed, one is drawn. The episode is
    truncated after 500 steps and never terminates.
    """

    def __init__(self, env: gym.Env[Any, Any], name: str, starts: np.ndarray) -> None:
        super().__init__(env)
        self._name, self._starts = name, starts
        self._generator = np.random.default_rng()
        # Upstream's space fixes the goal at 0 0 0, the bounds of a hidden one, so it is replaced.
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (39,), np.float64)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode at the start that the seed selects."""
        from metaworld import ALL_V3_ENVIRONMENTS, Task

        if seed is not None:
            self._generator = np.random.default_rng(seed)
        start = int(self._generator.integers(STARTS)) if seed is None else seed % STARTS
        env: Any = self.env
        task_data = {
            "env_cls": ALL_V3_ENVIRONMENTS[self._name],
            "rand_vec": self._starts[start],
            "partially_observable": False,
        }
        env.set_task(Task(self._name, pickle.dumps(task_data)))
        return env.reset()

    def render(self) -> Any:
        """Return the view of ``CAMERA``, (H, W, 3) uint8, turned the right way up, as the camera is upside down."""
        picture: Any = self.env.render()
        return np.ascontiguousarray(np.rot90(picture, 2)) if isinstance(picture, np.ndarray) else picture


def make_env(name: str, reward_version: str, goal_seed: int, **kwargs: Any) -> MetaWorldEnv:
    """Make a task's environment. Raises ``SuiteError`` if metaworld, or the MuJoCo that it requires, is missing."""
    check_installed()
    env = _raw(name, reward_version, **kwargs)
    if (name, goal_seed) not in _STARTS:
        _STARTS[name, goal_seed] = draw_starts(env, name, goal_seed)
    return MetaWorldEnv(env, name, _STARTS[name, goal_seed])


_STARTS: dict[tuple[str, int], np.ndarray] = {}  # drawn once per process and shared by all copies of a task


def draw_starts(env: Any, name: str, goal_seed: int) -> np.ndarray:
    """Draw the fifty starts of a task, (50, d) in metres: the positions of its goal and its objects.

    They pass Meta-World's own rejection rules, and come from a generator of ours that depends on ``goal_seed`` and the
    task alone. Nothing is simulated, which makes it fast, and ``env`` then steps as if nothing had happened.
    """
    env.np_random = np.random.default_rng([goal_seed, zlib.crc32(name.encode())])
    env.seeded_rand_vec, env._freeze_rand_vec, env._set_task_called = True, False, True
    env.do_simulation = _nothing
    drawn = []
    for _ in range(STARTS):
        env.reset_model()
        drawn.append(env._last_rand_vec.copy())
    del env.do_simulation
    env.seeded_rand_vec, env._freeze_rand_vec = False, True
    return np.array(drawn)


def check_installed() -> None:
    """Raise ``SuiteError`` if metaworld cannot be used: it is missing, or it does not allow the installed MuJoCo."""
    for module in ("metaworld", "packaging"):  # which metaworld fails to declare
        need(module, "metaworld")
    from packaging.requirements import Requirement

    for line in metadata.requires("metaworld") or ():
        requirement = Requirement(line)
        if requirement.name == "mujoco" and requirement.marker is None:
            found = metadata.version("mujoco")
            if not requirement.specifier.contains(found):
                raise SuiteError(
                    f"metaworld requires mujoco{requirement.specifier}, but mujoco is {found}, which changes its "
                    f"tasks: {INSTALL_COMMAND}"
                )


def official_vector_env(name: str) -> Any:
    """Make metaworld's own vector environment of ``metaworld/MT10`` and the like, for timing comparisons."""
    check_installed()
    importlib.import_module("metaworld")  # which registers its ids
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gym.make_vec(name.replace("metaworld", "Meta-World"), vector_strategy="sync", seed=0)


def versions() -> dict[str, str]:
    """Return the versions of the installed packages that a score depends on."""
    found = {}
    for name in ("metaworld", "mujoco", "envpool"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _raw(name: str, reward_version: str, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make the fast form of Meta-World's environment, without warnings about spaces that ``MetaWorldEnv`` replaces."""
    from metaworld import ALL_V3_ENVIRONMENTS

    official: Any = ALL_V3_ENVIRONMENTS[name]
    if kwargs.get("render_mode"):
        kwargs.setdefault("camera_name", CAMERA)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fast(official)(reward_function_version=reward_version, **kwargs)


def _nothing(*_: Any) -> None:
    """Stand in for the simulation."""
