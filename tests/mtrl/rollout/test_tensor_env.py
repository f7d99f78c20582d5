"""The learner's view of a suite: the same numbers from NumPy arrays and from torch tensors."""

from __future__ import annotations

import numpy as np
import torch

from envs.registry import make_suite
from mtrl.rollout.tensor_env import TensorEnv

CPU = torch.device("cpu")


def test_a_simulator_in_torch_gives_what_it_gives_in_numpy() -> None:
    """This is the path that a GPU takes, on the CPU; 250 steps cross two ends of episodes."""
    suite = make_suite("tabletop").only(["push", "door-open"])
    pair = [TensorEnv(suite, 3, CPU, in_torch=in_torch) for in_torch in (False, True)]
    torch.testing.assert_close(pair[1].reset(5), pair[0].reset(5))
    generator, ended = np.random.default_rng(0), 0
    for _ in range(250):
        action = pair[0].random_action(generator)
        one, other = (env.step(action) for env in pair)
        assert one.lost is other.lost is None
        for name, mine, theirs in zip(one._fields[:-2], one[:-2], other[:-2], strict=True):
            assert mine.shape == theirs.shape, name
            torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-6)
        np.testing.assert_allclose(np.array(one.episodes), np.array(other.episodes), atol=1e-4)
        ended += len(one.episodes)
    assert ended == 2 * 2 * 3


def test_shapes_have_tasks_in_front() -> None:
    env = TensorEnv(make_suite("tabletop"), 2, CPU)
    obs = env.reset(0)
    step = env.step(env.random_action(np.random.default_rng(0)))
    assert obs.shape == step.obs.shape == step.final_obs.shape == (10, 2, env.obs_size)
    assert step.reward.shape == step.terminated.shape == step.ended.shape == (10, 2)
    assert env.action_mask.shape == (10, 3)
