"""Meta-World's official environments, several times faster: bit-identical numbers from cheaper calls.

Physics is a quarter of an official step; the rest is Python that looks up names, loops over contacts and stacks small
arrays. Models, physics and every reward stay metaworld's own: ``fast`` makes a subclass that computes the rest
directly, and in which metaworld's own code calls the functions of ``stand_ins``. ``tests/envs/metaworld/test_fast.py``
checks bit-equality on all fifty tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from types import CellType, FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from envs.metaworld import stand_ins

HAND_DOWN = np.array([1, 0, 1, 0])  # the quaternion of the mocap body that pulls the hand along


@cache
def fast(official: type[Any]) -> type[Any]:
    """Return the fast subclass of one of metaworld's environment classes, under the official name."""
    own: dict[str, Any] = {}
    for base in reversed(official.__mro__):
        if base.__module__.startswith("metaworld."):
            own |= {name: _on_stand_ins(value) for name, value in vars(base).items() if not name.startswith("__")}
    own = {name: value for name, value in own.items() if value is not None}
    return type(official.__name__, (_Steps, type(official.__name__, (official,), own)), {})


def _on_stand_ins(value: Any) -> Any:
    """Return a function, static method or property of metaworld's that calls the stand-ins; None for anything else."""
    if isinstance(value, staticmethod):
        return staticmethod(_function(value.__func__))
    if isinstance(value, property):
        return property(None if value.fget is None else _function(value.fget))
    return _function(value) if isinstance(value, FunctionType) else None


def _function(official: Callable[..., Any]) -> FunctionType:
    """Return a function with the same code that calls our stand-ins, as do the functions that it closes over."""
    assert isinstance(official, FunctionType)
    cells = tuple(
        CellType(_function(cell.cell_contents)) if isinstance(cell.cell_contents, FunctionType) else cell
        for cell in official.__closure__ or ()
    )
    names = {name: own for name, own in _stand_ins().items() if name in official.__globals__}
    own = FunctionType(
        official.__code__, {**official.__globals__, **names}, official.__name__, official.__defaults__, cells
    )
    own.__kwdefaults__ = official.__kwdefaults__
    return own


@cache
def _stand_ins() -> dict[str, Any]:
    """Return replacements for these globals of metaworld's modules, with stand-ins for the most-called functions."""
    from metaworld.utils import reward_utils

    return {
        "np": SimpleNamespace(**{**vars(np), "linalg": SimpleNamespace(**{**vars(np.linalg), "norm": stand_ins.norm})}),
        "reward_utils": SimpleNamespace(**{**vars(reward_utils), "tolerance": stand_ins.tolerance}),
        "Rotation": stand_ins.Rotation,
    }


class _Steps:
    """Everything around an official environment's reward; each method returns what its official namesake does."""

    model: Any
    data: Any

    @cached_property
    def _bodies(self) -> dict[str, np.ndarray]:
        return {}

    @cached_property
    def _sites(self) -> dict[str, np.ndarray]:
        return {}

    def get_body_com(self, body_name: str) -> np.ndarray:
        """Return a view of a body's position (3,), m: it moves with the body, on which metaworld's rewards rely."""
        view = self._bodies.get(body_name)
        if view is None:
            view = self._bodies[body_name] = self.data.body(body_name).xpos
        return view

    def get_endeff_pos(self) -> np.ndarray:
        """Return a view of the hand's position (3,), m."""
        return self.get_body_com("hand")

    def _site(self, name: str) -> np.ndarray:
        view = self._sites.get(name)
        if view is None:
            view = self._sites[name] = self.data.site(name).xpos
        return view

    def _get_site_pos(self, site_name: str) -> np.ndarray:
        return self._site(site_name).copy()

    def _set_pos_site(self, name: str, pos: np.ndarray) -> None:
        self._site(name)[:] = pos[:3]

    @property
    def tcp_center(self) -> np.ndarray:
        """Return the point midway between the two fingers (3,), m."""
        center: np.ndarray = (self._site("rightEndEffector") + self._site("leftEndEffector")) / 2.0
        return center

    def touching_object(self: Any, object_geom_id: int) -> bool:
        """Return whether both pads press on the geometry, by the sum of each pad's contact forces."""
        contact = self.data.contact
        pads = self._pads
        forces = [0, 0]
        for k in np.flatnonzero((contact.geom == object_geom_id).any(axis=1)):
            pair = contact.geom[k]
            for side in (0, 1):
                if pads[side] in pair:
                    forces[side] += self.data.efc_force[contact.efc_address[k]]
        return bool(forces[0] > 0 and forces[1] > 0)

    @cached_property
    def _pads(self) -> tuple[int, int]:
        return self.data.geom("leftpad_geom").id, self.data.geom("rightpad_geom").id

    def _get_curr_obs_combined_no_goal(self: Any) -> np.ndarray:
        obs = np.zeros(4 + self._obs_obj_max_len)
        obs[:3] = self.get_body_com("hand")
        apart = self.get_body_com("rightclaw") - self.get_body_com("leftclaw")
        obs[3] = min(max(np.sqrt(apart.dot(apart)) / 0.1, 0.0), 1.0)
        positions, quaternions = self._get_pos_objects(), self._get_quat_objects()
        for k in range(len(positions) // 3):
            at = 4 + 7 * k
            obs[at : at + 3] = positions[3 * k : 3 * k + 3]
            obs[at + 3 : at + 7] = quaternions[4 * k : 4 * k + 4]
        return obs

    def _get_obs(self: Any) -> np.ndarray:
        current, goal = self._get_curr_obs_combined_no_goal(), self._get_pos_goal()
        obs = np.zeros(39)
        obs[:18], obs[18:36] = current, self._prev_obs
        if not self._partially_observable:
            obs[36:] = goal
        self._prev_obs = current
        return obs

    def do_simulation(self: Any, ctrl: Any, n_frames: int) -> None:
        """Set the fingers' forces and run ``n_frames`` steps of physics."""
        import mujoco

        self.data.ctrl[:] = ctrl
        mujoco.mj_step(self.model, self.data, n_frames)
        mujoco.mj_rnePostConstraint(self.model, self.data)

    def step(self: Any, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Step once with an action (4,); return Gymnasium's five values, observation (39,). See ``MetaWorldEnv``."""
        import mujoco

        if self.curr_path_length >= self.max_path_length:
            raise ValueError("the episode was truncated; reset the environment before the next step")
        data = self.data
        moved = data.mocap_pos + (np.minimum(np.maximum(action[:3], -1), 1) * self.action_scale)[None]
        moved[0] = np.minimum(np.maximum(moved[0], self.mocap_low), self.mocap_high)
        data.mocap_pos, data.mocap_quat = moved, HAND_DOWN
        self.do_simulation((action[-1], -action[-1]), self.frame_skip)
        self.curr_path_length += 1
        for name, pos in self._target_site_config:
            self._set_pos_site(name, pos)
        mujoco.mj_forward(self.model, data)
        space = self.sawyer_observation_space
        obs = np.minimum(np.maximum(self._get_obs(), space.low), space.high)
        self._last_stable_obs = obs
        reward, info = self.evaluate_state(obs, action)
        return obs.copy(), reward, False, self.curr_path_length == self.max_path_length, info
