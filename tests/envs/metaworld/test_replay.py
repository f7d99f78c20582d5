"""EnvPool's reward is Meta-World's in every task except those of ``REWARD_DIFFERS``."""

from __future__ import annotations

import sys

import numpy as np
import pytest

pytest.importorskip("metaworld")
pytest.importorskip("envpool")

from envs.metaworld import engines_of, lists
from envs.metaworld.differs import REWARD_DIFFERS
from tests.envs.metaworld.replay import Replay, replay

pytestmark = pytest.mark.filterwarnings("ignore:Constant:UserWarning")


def check(found: Replay) -> None:
    """First and later episodes, random actions and the expert's, compared while the observations agree."""
    assert found.goal_differs or found.together.mean() > 0.1, "there is nothing to compare"
    assert found.reward_differs == (found.name in REWARD_DIFFERS), (found.share_off, found.goal_off.max())


@pytest.mark.parametrize("name", lists.MT50)
def test_the_reward_is_the_official_one_where_envpool_is_used(name: str) -> None:
    check(replay(name, rows=2, steps=50))


@pytest.mark.slow
@pytest.mark.parametrize("name", lists.MT50)
def test_the_same_holds_for_more_starts_and_longer(name: str) -> None:
    """Eight episodes, most of which the expert solves; prints the table of docs/metaworld.md under -s."""
    found = replay(name, rows=4, steps=200)
    goal = f"{found.goal_off.max():.2f} m off" if found.goal_differs else "the same"
    rewards = f"{found.reward_off.max(initial=0.0):.4f} | {found.share_off:.2f}"
    engine = engines_of([name], "auto", "v2")[name]
    line = (name, goal, f"{found.together.mean():.2f}", rewards, f"{found.success_off}", engine)
    sys.stdout.write(f"| {' | '.join(line)} |\n")
    check(found)


def test_steps_are_compared_while_observations_agree_from_the_start() -> None:
    off = np.array([0.0, 0.001, 0.003, 0.0]).reshape(1, 4, 1)
    reward = np.array([[1.0, 1.0, 9.0, 9.0], [1.0, 1.02, 1.0, 1.0]]).reshape(2, 1, 4, 1)
    found = Replay("reach-v3", off, np.zeros((1, 1)), reward, np.zeros((2, 1, 4, 1)))
    assert found.together[0, :, 0].tolist() == [True, True, False, False]
    assert found.reward_off.tolist() == pytest.approx([0.0, 0.02])
    assert not found.reward_differs  # .02 where observations are 1 mm apart is what these explain: .001 + 20 x .001
    found.reward[1, 0, 0] = 1.02
    assert found.share_off == 0.5
    assert found.reward_differs
