"""Meta-World on EnvPool follows the engine's contract and agrees with the official environments."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import pytest

pytest.importorskip("metaworld")
pytest.importorskip("envpool")

from metaworld.policies import ENV_POLICY_MAP

from envs.errors import SuiteError
from envs.metaworld import lists, suite
from envs.metaworld.pool import EnvPoolEngine
from envs.registry import make_suite
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import TaskSuite

TWO = ("reach-v3", "drawer-close-v3")


def pooled(*names: str) -> TaskSuite:
    return suite("some", names or TWO, engine="envpool")


def test_the_engine_is_the_pool_and_scores_come_from_the_environments() -> None:
    own = make_suite("metaworld/MT10", engine="envpool")
    assert own.simulator is EnvPoolEngine
    assert own.score_in_environments


def test_same_seed_same_numbers_and_copies_differ_in_their_goals() -> None:
    seen = []
    for seed in (3, 3, 4):
        env = MultiTaskVectorEnv(pooled(), 3)
        first, _ = env.reset(seed=seed)
        later = [env.step(np.full((6, 4), 0.5))[0] for _ in range(3)]
        seen.append(np.array([first, *later]))
        env.close()
    assert seen[0].shape == (4, 6, 39)
    assert seen[0].dtype == np.float32
    assert np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])
    assert len(np.unique(seen[0][0, :3, 36:39], axis=0)) == 3


def test_episodes_last_500_steps_and_the_next_ones_have_other_goals() -> None:
    env = MultiTaskVectorEnv(pooled(), 2)
    first, _ = env.reset(seed=0)
    for _ in range(499):
        obs, _, terminated, truncated, _ = env.step(np.zeros((4, 4)))
        assert not (terminated | truncated).any()
    obs, _, terminated, truncated, info = env.step(np.zeros((4, 4)))
    assert truncated.all()
    assert not terminated.any()
    assert not np.array_equal(obs[:2, 36:39], first[:2, 36:39])
    assert np.array_equal(info["final_obs"][:2, 36:39], first[:2, 36:39])
    again, _ = env.reset(seed=0)  # in the middle of an episode: all start again as they did at first
    assert np.array_equal(again, first)


def test_a_step_is_what_envpools_own_gymnasium_interface_returns() -> None:
    ours, theirs = (EnvPoolEngine(pooled().tasks, 2) for _ in range(2))
    for engine in (ours, theirs):
        engine.reset(np.arange(4), [5, 6, 7, 8])
    for k in range(500):
        action = np.random.default_rng(k).uniform(-1, 1, (4, 4)).astype(np.float32)
        step = ours.step(action)
        public = [pool.step(action[2 * i : 2 * i + 2]) for i, pool in enumerate(theirs._pools)]
        for mine, column in zip(step[:4], range(4), strict=True):
            np.testing.assert_array_equal(mine, np.concatenate([one[column] for one in public]).astype(mine.dtype))
        np.testing.assert_array_equal(step.success, np.concatenate([one[4]["success"] for one in public]))
    assert step.truncated.all()


def test_a_running_pool_cannot_be_reset_row_by_row() -> None:
    env = MultiTaskVectorEnv(pooled(), 2)
    env.reset(seed=0)
    with pytest.raises(SuiteError, match="reset all of them together"):
        env.engine.reset(np.array([0]), [1])


def test_rendering_is_refused_with_the_engine_that_can() -> None:
    with pytest.raises(SuiteError, match="--engine farama"):
        EnvPoolEngine(pooled().tasks, 1).render([0])


def test_a_missing_envpool_is_reported_with_its_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "envpool", None)
    with pytest.raises(SuiteError, match=r"EnvPool is not installed: pip install -e '.\[envpool\]'"):
        MultiTaskVectorEnv(pooled(), 1)


def expert_scores(engine: str, names: Sequence[str], episodes: int, copies: int) -> dict[str, np.ndarray]:
    """Play the scripted experts; return per task (episodes, 3): return, success at any step, success at the last."""
    env = MultiTaskVectorEnv(suite("some", names, engine=engine), copies)
    experts = [ENV_POLICY_MAP[name]() for name in names]
    found: list[np.ndarray] = []
    obs, _ = env.reset(seed=0, options={"each_start": True})
    for _ in range(episodes // copies):
        total, solved = np.zeros(env.num_envs), np.zeros(env.num_envs)
        for _ in range(500):
            rows = env.split(obs).astype(np.float64)
            action = [expert.get_action(row) for expert, own in zip(experts, rows, strict=True) for row in own]
            obs, reward, _, _, info = env.step(np.clip(action, -1.0, 1.0))
            total += reward
            solved = np.maximum(solved, info["success"])
        found.append(env.split(np.stack([total, solved, info["success"]], axis=1)))
    env.close()
    return dict(zip(names, np.concatenate(found, axis=1), strict=True))


def disagreements(names: Sequence[str], episodes: int, copies: int) -> list[str]:
    """Return where the two engines' experts differ: means by over four standard errors, success rates by over .15."""
    ours, theirs = (expert_scores(engine, names, episodes, copies) for engine in ("envpool", "farama"))
    found = []
    for name in names:
        mean, other = ours[name].mean(axis=0), theirs[name].mean(axis=0)
        error = np.hypot(ours[name][:, 0].std(), theirs[name][:, 0].std()) / np.sqrt(episodes)
        # The two versions of the physics differ by a few parts in a thousand, visible where a return never varies.
        if abs(mean[0] - other[0]) > 4.0 * error + 0.01 * other[0]:
            found.append(f"{name}: return {mean[0]:.0f} and {other[0]:.0f}, standard error {error:.0f}")
        if abs(mean[1] - other[1]) > 0.15:
            found.append(f"{name}: success at any step {mean[1]:.2f} and {other[1]:.2f}")
        pairs = (f"{mean[0]:.0f} / {other[0]:.0f}", *(f"{mean[k]:.2f} / {other[k]:.2f}" for k in (1, 2)))
        sys.stdout.write(f"| {' | '.join((name, *pairs))} |\n")
    return found


@pytest.mark.filterwarnings("ignore:Constant:UserWarning")
def test_the_engines_agree_on_two_tasks() -> None:
    assert disagreements(TWO, episodes=4, copies=4) == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Constant:UserWarning")
def test_the_engines_agree_on_every_task_of_mt10() -> None:
    """Fifty episodes a side; prints a table of them under -s."""
    assert disagreements(lists.MT10, episodes=50, copies=10) == []
