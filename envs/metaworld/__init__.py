"""Meta-World v3 (Yu et al. 2019; McLean et al. 2025): MT1, MT10, MT25, MT50, ML10 and ML45, on two engines."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import partial

from envs.errors import SuiteError, nearest
from envs.metaworld import tasks as lists
from envs.metaworld.farama import STARTS, make_env, metaworlds_own, versions
from envs.metaworld.pool import HORIZON, EnvPoolEngine
from envs.suite import Task, TaskSuite

ENGINES, REWARDS = ("farama", "envpool"), ("v2", "v1")
OWN_VECTOR = ("metaworld/MT10", "metaworld/MT25", "metaworld/MT50")  # that metaworld has a vector environment for


def suite(
    name: str,
    train: Sequence[str],
    test: Sequence[str] = (),
    *,
    engine: str = "",
    reward_version: str = "v2",
    goal_seed: int = 0,
) -> TaskSuite:
    """Return a benchmark's suite; ``test`` tasks are held out.

    ``engine``: farama, the official environments, or envpool, the same in C++ for training, which is taken where it is
    installed unless said; final scores always come from the official ones. ``goal_seed`` draws each task's fifty
    starts. Raises ``SuiteError`` for an unknown engine or reward, and for the v1 reward on EnvPool, which lacks it.
    """
    if reward_version not in REWARDS:
        raise SuiteError(f"--reward-version is {reward_version!r}; Meta-World has {' and '.join(REWARDS)}")
    if engine not in ("", *ENGINES):
        raise SuiteError(f"--engine is {engine!r}; Meta-World has {' and '.join(ENGINES)}.{nearest(engine, ENGINES)}")
    if engine == "envpool" and reward_version != "v2":
        raise SuiteError("EnvPool has Meta-World's v2 reward alone; take --engine farama for --reward-version v1")
    if not engine:
        installed = importlib.util.find_spec("envpool") is not None
        engine = "envpool" if installed and reward_version == "v2" else "farama"
    return TaskSuite(
        name,
        [_task(one, reward_version, goal_seed) for one in train],
        EnvPoolEngine if engine == "envpool" else None,
        [_task(one, reward_version, goal_seed, ("test",)) for one in test],
        score_in_environments=True,
        facts={
            "reward_version": reward_version,
            "horizon": HORIZON,
            "goals_per_task": STARTS,
            "goal_seed": goal_seed,
            "training_engine": engine,
            "scoring_engine": "farama",
            "versions": versions(),
        },
        usual=partial(metaworlds_own, name) if name in OWN_VECTOR else None,
    )


def _task(name: str, reward_version: str, goal_seed: int, tags: tuple[str, ...] = ()) -> Task:
    make = partial(make_env, name, reward_version, goal_seed)
    return Task(name, make, lists.SENTENCES[name], tags, starts=STARTS)


def mt1(argument: str = "reach-v3", *, engine: str = "", reward_version: str = "v2", goal_seed: int = 0) -> TaskSuite:
    """Return one task alone, as in ``metaworld/MT1:push-v3``; the version may be left out."""
    name = argument if argument.endswith("-v3") else f"{argument}-v3"
    if name not in lists.SENTENCES:
        raise SuiteError(
            f"metaworld/MT1:{argument}: there is no such task; write metaworld/MT1:reach-v3."
            f"{nearest(name, lists.SENTENCES)}"
        )
    return suite(f"metaworld/MT1-{name}", (name,), engine=engine, reward_version=reward_version, goal_seed=goal_seed)


mt10 = partial(suite, "metaworld/MT10", lists.MT10)
mt25 = partial(suite, "metaworld/MT25", lists.MT25)
mt50 = partial(suite, "metaworld/MT50", lists.MT50)
ml10 = partial(suite, "metaworld/ML10", lists.ML10_TRAIN, lists.ML10_TEST)
ml45 = partial(suite, "metaworld/ML45", lists.ML45_TRAIN, lists.ML45_TEST)
