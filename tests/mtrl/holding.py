"""A suite of one's own whose tasks are to hold a number, some of them held out, and small runs on it."""

from __future__ import annotations

from pathlib import Path

from mtrl import train
from tests.mtrl.conftest import tiny

# Tasks to hold a number: the reward is the less the farther the action is from it, and the observation does not say it.
HOLDING = """
    from functools import partial
    import gymnasium as gym
    import numpy as np
    from mtrl import Task, TaskSuite

    class Hold(gym.Env):
        metadata = {"render_modes": ["rgb_array"]}

        def __init__(self, aim, size=2, actions=1, render_mode=None):
            self.observation_space = gym.spaces.Box(-1.0, 1.0, (size,))
            self.action_space = gym.spaces.Box(-1.0, 1.0, (actions,))
            self.aim, self.render_mode = aim, render_mode

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.t = 0
            return self._obs(), {}

        def step(self, action):
            self.t += 1
            return self._obs(), 1.0 - abs(float(action[0]) - self.aim), False, self.t == 5, {}

        def render(self):
            return np.full((32, 32, 3), 40 * self.t, np.uint8)

        def _obs(self):
            return self.np_random.uniform(-1.0, 1.0, self.observation_space.shape).astype(np.float32)

    def task(aim, *tags, **kwargs):
        return Task(f"hold{aim}", partial(Hold, aim, **kwargs), f"Hold {aim}.", tags, parameters={"aim": aim})

    trained = [task(-0.5), task(0.25, size=1), task(0.5)]
    suite = TaskSuite("holding", trained, held_out=[task(0.0, "inside", size=1), task(0.9, "far", "outside")])
    none = TaskSuite("holding", trained)
    wide = TaskSuite("holding", trained, held_out=[task(0.0, size=3, actions=2)])
    other = TaskSuite("holding", [*trained[:2], Task("hold0.5", partial(Hold, 0.5), "Hold a half.",
                                  parameters={"aim": 0.5})], held_out=suite.held_out)
    renamed = Task("renamed", partial(Hold, 0.5), "Hold 0.5.", parameters={"aim": 0.5})
    twins = TaskSuite("holding", [*trained[:2], renamed], held_out=[trained[2]])
    fixed = TaskSuite("holding", [Task(f"start{s}", partial(Hold, 0.1), "Hold.", starts=s) for s in (0, 7)],
                      facts={"reward": "v2"})
    threes = TaskSuite("holding", [task(0.1, size=2, actions=3), task(0.2, size=2, actions=3)],
                       held_out=[task(0.3, size=1, actions=2), task(0.4, size=1, actions=1)])
    broken = TaskSuite("holding", [Task("broken", lambda: 1 / 0, "Fail.")])
    plain = TaskSuite("holding", [Task(f"hold{k}", partial(Hold, 0.1 * k), f"Hold it {k}.") for k in range(2)])
"""
SMALL = ("--steps-per-task", "64", "--random-steps", "32", "--encoder-hidden", "8", "--context-hidden", "8")


def hold(runs_dir: Path, *more: str, suite: str = "suite") -> list[str]:
    """The arguments of a small run on the tasks above."""
    given = tiny(runs_dir, "--suite", f"holding_suite:{suite}", "--baseline", "none", *more)
    start = given.index("--tasks")
    return [*given[:start], *given[start + 3 :]]


def trained(runs_dir: Path, *more: str, agent: str = "care", suite: str = "suite") -> Path:
    assert train.main(hold(runs_dir, "--agent", agent, *more, suite=suite)) == 0
    return runs_dir / "holding" / agent / "seed0"
