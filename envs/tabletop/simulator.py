"""The batched simulator: every copy of every task in one step, on NumPy arrays or on torch tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import array_api_compat.numpy as array_numpy
import numpy as np

from envs.stepping.engine import Step
from envs.tabletop.physics import advance, handle_of, heading_of
from envs.tabletop.reward import distance_left, reward_and_success
from envs.tabletop.tasks import HORIZON, TabletopTask
from envs.tabletop.world import DRAWS, State, World, clamp

Array = Any
OBS_SIZE = 15
ACTION_SIZE = 3
X_COLUMNS = [0, 4, 6, 9, 11, 13]  # whose sign changes if right and left are exchanged


class TabletopSimulator:
    """An ``Engine`` over tabletop tasks: n = len(tasks) x copies rows, ordered task by task.

    The observation, (n, 15) float32: hand x y, aperture in [-1, 1], holding 0/1, handle x y, heading x y of the body
    (zeros for a disc), the joint's displacement over its travel, goal x y, handle minus hand x y, goal minus handle
    x y; columns of a goal are zero if none is drawn or shown. In a mirrored task all x are negated.
    The action, (n, 3) in [-1, 1]: hand dx dy, and shutting (+) or opening (-) the gripper.
    Both namespaces compute in float64 and start episodes from the same NumPy draws, so their trajectories agree.
    """

    obs_size = OBS_SIZE
    action_size = ACTION_SIZE

    def __init__(
        self, tasks: Sequence[TabletopTask], copies: int = 1, xp: Any = array_numpy, device: Any = None
    ) -> None:
        self.rows: list[TabletopTask] = [task for task in tasks for _ in range(copies)]
        self.action_mask = np.ones((len(tasks), ACTION_SIZE), dtype=bool)
        self._xp = xp
        self._device = device
        self.world = World.of(self.rows, self._xp, device)
        self._sides = self._floats(np.ones((len(self.rows), OBS_SIZE)))
        self._sides[:, X_COLUMNS] = self.world.side[:, None]
        self._generators: list[np.random.Generator | None] = [None] * len(self.rows)
        n = len(self.rows)
        self.state = State(
            hand=self._zeros((n, 2)),
            aperture=self._zeros((n,)),
            holding=self._zeros((n,)) > 0,
            offset=self._zeros((n, 2)),
            base=self._zeros((n, 2)),
            displacement=self._zeros((n,)),
            goal=self._zeros((n, 2)),
            start_distance=self._zeros((n,)) + 1.0,
            age=self._xp.astype(self._zeros((n,)), self._xp.int64),
        )

    def reset(self, rows: np.ndarray, seeds: Sequence[int | None]) -> Array:
        """Begin an episode on each of ``rows``; see ``Engine.reset``."""
        draws = np.empty((len(rows), DRAWS))
        for k, (row, seed) in enumerate(zip(rows, seeds, strict=True)):
            generator = self._generators[row]
            if seed is not None or generator is None:
                generator = self._generators[row] = np.random.default_rng(seed)
            generator.random(out=draws[k])
        self.begin(rows, draws)
        return self.observe()[self._index(rows)]

    def begin(self, rows: np.ndarray, draws: np.ndarray) -> None:
        """Begin episodes on ``rows`` (k,) from uniform ``draws`` (k, 7) in [0, 1)."""
        world, state = self.world, self.state
        index = self._index(rows)
        low, high = world.low[index], world.high[index]
        start = low + (high - low) * self._floats(draws)
        state.hand[index] = start[:, 0:2]
        state.base[index] = start[:, 2:4]
        state.goal[index] = start[:, 4:6]
        state.displacement[index] = start[:, 6]
        state.aperture[index] = 1.0
        state.holding[index] = False
        state.offset[index] = 0.0
        state.age[index] = 0
        state.start_distance[index] = distance_left(world, state)[index]

    def step(self, action: Array) -> Step:
        """Step every row; see ``Engine.step``. Nothing terminates an episode; its horizon truncates it."""
        xp = self._xp
        own = self._floats(action) * self._sides[:, :ACTION_SIZE]  # only the first column is along x
        advance(self.world, self.state, clamp(xp, own, -1.0, 1.0))
        self.state.age = self.state.age + 1
        reward, success = reward_and_success(self.world, self.state)
        truncated = self.state.age >= HORIZON
        never = xp.zeros_like(truncated)
        return Step(self.observe(), xp.astype(reward, xp.float32), never, truncated, xp.astype(success, xp.float32))

    def observe(self) -> Array:
        """Return every row's current observation, (n, 15) float32."""
        xp, world, state = self._xp, self.world, self.state
        handle = handle_of(world, state)
        goal_shown = world.goal_shown[:, None]
        columns = [
            state.hand,
            (2.0 * state.aperture - 1.0)[:, None],
            xp.astype(state.holding, state.hand.dtype)[:, None],
            handle,
            heading_of(world, state),
            (state.displacement / world.travel_or_one)[:, None],
            state.goal * goal_shown,
            handle - state.hand,
            (state.goal - handle) * goal_shown,
        ]
        return xp.astype(xp.concat(columns, axis=-1) * self._sides, xp.float32)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of all rows, and of each row's generator."""
        arrays = {field.name: getattr(self.state, field.name) for field in fields(self.state)}
        return {
            "arrays": {name: np.asarray(array.tolist()) for name, array in arrays.items()},
            "generators": [None if g is None else g.bit_generator.state for g in self._generators],
        }

    def load_state_dict(self, state: dict[str, Any]) -> Array:
        """Continue from what ``state_dict`` returned; see ``ResumableEngine.load_state_dict``."""
        for name, array in state["arrays"].items():
            setattr(self.state, name, self._xp.asarray(np.array(array), device=self._device))
        self._generators = [_generator_in(one) for one in state["generators"]]
        return self.observe()

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Draw ``rows`` as (256, 256, 3) uint8 pictures."""
        from envs.tabletop.render import draw

        return [draw(self, row) for row in rows]

    def close(self) -> None:
        """Nothing to release."""

    def _zeros(self, shape: tuple[int, ...]) -> Array:
        return self._floats(np.zeros(shape))

    def _floats(self, values: Array) -> Array:
        return self._xp.asarray(values, dtype=self._xp.float64, device=self._device)

    def _index(self, rows: np.ndarray) -> Array:
        return self._xp.asarray(rows, device=self._device)


def make_simulator(
    table: Mapping[str, TabletopTask], tasks: Sequence[Any], copies: int, xp: Any, device: Any
) -> TabletopSimulator:
    """Build the simulator for suite tasks, which are looked up in the table by name."""
    return TabletopSimulator([table[task.name] for task in tasks], copies, xp, device)


def _generator_in(state: dict[str, Any] | None) -> np.random.Generator | None:
    """Return NumPy's default generator in a saved state, or None for None."""
    if state is None:
        return None
    generator = np.random.default_rng()
    generator.bit_generator.state = state
    return generator
