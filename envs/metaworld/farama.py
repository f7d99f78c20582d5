"""Meta-World's own environments, kept to Gymnasium's contract: seeds count, copies differ, no state is shared."""

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
INSTALL = "pip install -e '.[metaworld]'"
CAMERA = "corner4"


class MetaWorldEnv(gym.Wrapper[Any, Any, Any, Any]):
    """One of Meta-World's v3 tasks with its goal shown (Yu et al. 2019; Meta-World+, McLean et al. 2025).

    The observation, (39,) float64: hand x y z (m), gripper opening in [0, 1], 14 numbers of object positions (m) and
    quaternions, the same 18 a step before, goal x y z (m). The action, (4,) in [-1, 1]: hand dx dy dz (cm), grip.
    ``reset(seed=s)`` takes goal ``s % 50`` of the task's fifty; without a seed one of them is drawn. The episode is
    truncated after 500 steps and never terminates.
    """

    def __init__(self, env: gym.Env[Any, Any], name: str, starts: np.ndarray) -> None:
        super().__init__(env)
        self._name, self._starts = name, starts
        self._generator = np.random.default_rng()
        # Upstream says the goal is always 0 0 0 (the bounds of a hidden one), so its space is of no use here.
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (39,), np.float64)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode at the start that the seed names."""
        from metaworld import ALL_V3_ENVIRONMENTS, Task

        if seed is not None:
            self._generator = np.random.default_rng(seed)
        start = int(self._generator.integers(STARTS)) if seed is None else seed % STARTS
        env: Any = self.env
        told = {
            "env_cls": ALL_V3_ENVIRONMENTS[self._name],
            "rand_vec": self._starts[start],
            "partially_observable": False,
        }
        env.set_task(Task(self._name, pickle.dumps(told)))
        return env.reset()

    def render(self) -> Any:
        """Return what ``CAMERA`` sees, (H, W, 3) uint8, the right way up: it hangs upside down."""
        picture: Any = self.env.render()
        return np.ascontiguousarray(np.rot90(picture, 2)) if isinstance(picture, np.ndarray) else picture


def make_env(name: str, reward_version: str, goal_seed: int, **kwargs: Any) -> MetaWorldEnv:
    """Make a task's environment. Raises ``SuiteError`` where metaworld, or the MuJoCo that it asks for, is missing."""
    check_installed()
    env = _raw(name, reward_version, **kwargs)
    if (name, goal_seed) not in _STARTS:
        _STARTS[name, goal_seed] = draw_starts(env, name, goal_seed)
    return MetaWorldEnv(env, name, _STARTS[name, goal_seed])


_STARTS: dict[tuple[str, int], np.ndarray] = {}  # drawn once in a process: all copies of a task share them


def draw_starts(env: Any, name: str, goal_seed: int) -> np.ndarray:
    """Draw the fifty starts of a task, (50, d) in metres: where its goal and its objects are.

    They are those that Meta-World's own rejection rules accept, from a generator of ours that follows from
    ``goal_seed`` and the task alone. Nothing is simulated for it, which is what makes it fast; ``env`` is left as if
    nothing had happened.
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
    """Raise ``SuiteError`` where metaworld cannot be used: not installed, or beside a MuJoCo that it does not allow."""
    for module in ("metaworld", "packaging"):  # which metaworld forgets to ask for
        need(module, "metaworld")
    from packaging.requirements import Requirement

    for line in metadata.requires("metaworld") or ():
        wanted = Requirement(line)
        if wanted.name == "mujoco" and wanted.marker is None:
            found = metadata.version("mujoco")
            if not wanted.specifier.contains(found):
                raise SuiteError(
                    f"metaworld requires mujoco{wanted.specifier}, but mujoco is {found}, which changes its "
                    f"tasks: {INSTALL}"
                )


def metaworlds_own(name: str) -> Any:
    """Make metaworld's own vector environment of ``metaworld/MT10`` and the like, to be timed beside ours."""
    check_installed()
    importlib.import_module("metaworld")  # which registers its ids
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gym.make_vec(name.replace("metaworld", "Meta-World"), vector_strategy="sync", seed=0)


def versions() -> dict[str, str]:
    """Return the versions of what a score depends on, of those that are installed."""
    found = {}
    for name in ("metaworld", "mujoco", "envpool"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _raw(name: str, reward_version: str, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make Meta-World's environment, stepped fast; what it warns of (its spaces' precision) does not concern ours."""
    from metaworld import ALL_V3_ENVIRONMENTS

    official: Any = ALL_V3_ENVIRONMENTS[name]
    if kwargs.get("render_mode"):
        kwargs.setdefault("camera_name", CAMERA)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fast(official)(reward_function_version=reward_version, **kwargs)


def _nothing(*_: Any) -> None:
    """Stand in for the simulation."""
