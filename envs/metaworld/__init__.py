"""Meta-World v3 (Yu et al. 2019; McLean et al. 2025): MT1, MT10, MT25, MT50, ML10, ML45, on two engines or both."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from functools import partial

from envs.errors import SuiteError, nearest
from envs.metaworld import tasks as lists
from envs.metaworld.differs import REWARD_DIFFERS
from envs.metaworld.farama import STARTS, make_env, official_vector_env, versions
from envs.metaworld.mixed import MixedEngine
from envs.metaworld.pool import HORIZON, EnvPoolEngine
from envs.stepping.failures import RestartingCopies
from envs.suite import MakeSimulator, Task, TaskSuite

ENGINES, REWARDS = ("auto", "farama", "envpool"), ("v2", "v1")
OFFICIAL_VECTOR_ENVS = ("metaworld/MT10", "metaworld/MT25", "metaworld/MT50")


def suite(
    name: str,
    train: Sequence[str],
    test: Sequence[str] = (),
    *,
    engine: str = "auto",
    reward_version: str = "v2",
    goal_seed: int = 0,
) -> TaskSuite:
    """Return a benchmark's suite; ``test`` tasks are held out.

    ``engine``: farama, the official environments; envpool, the same in C++ for training, with another reward in some
    tasks; auto, EnvPool if it is installed and its reward is Meta-World's, else the official ones. Final scores always
    come from the official ones. ``goal_seed`` draws each task's fifty starts. Raises ``SuiteError`` for an
    unknown engine or reward, and for the v1 reward on EnvPool, which lacks it.
    """
    if reward_version not in REWARDS:
        raise SuiteError(f"--reward-version is {reward_version!r}; Meta-World has {' and '.join(REWARDS)}")
    if engine not in ENGINES:
        known = f"{', '.join(ENGINES[:-1])} and {ENGINES[-1]}"
        raise SuiteError(f"--engine is {engine!r}; Meta-World has {known}.{nearest(engine, ENGINES)}")
    if engine == "envpool" and reward_version != "v2":
        raise SuiteError("EnvPool only has Meta-World's v2 reward; use --engine farama for --reward-version v1")
    engines = engines_of(train, engine, reward_version)
    differing = {one: REWARD_DIFFERS[one] for one in train if engines[one] == "envpool" and one in REWARD_DIFFERS}
    return TaskSuite(
        name,
        [_task(one, reward_version, goal_seed) for one in train],
        _simulator(engines),
        [_task(one, reward_version, goal_seed, ("test",)) for one in test],
        score_in_environments=True,
        facts={
            "reward_version": reward_version,
            "horizon": HORIZON,
            "goals_per_task": STARTS,
            "goal_seed": goal_seed,
            "training_engines": engines,
            **({"trained_on_another_reward": differing} if differing else {}),
            "scoring_engine": "farama",
            "versions": versions(),
        },
        reference=partial(official_vector_env, name) if name in OFFICIAL_VECTOR_ENVS else None,
    )


def engines_of(names: Sequence[str], engine: str, reward_version: str) -> dict[str, str]:
    """Return the engine that steps each task in training: ``engine``, or what auto selects."""
    if engine != "auto":
        return dict.fromkeys(names, engine)
    pooled = importlib.util.find_spec("envpool") is not None and reward_version == "v2"
    return {name: "envpool" if pooled and name not in REWARD_DIFFERS else "farama" for name in names}


def _simulator(engines: Mapping[str, str]) -> MakeSimulator | None:
    """Return the simulator of tasks with these engines; None if all are stepped as official environments."""
    if set(engines.values()) == {"farama"}:
        return None
    if set(engines.values()) == {"envpool"}:
        return EnvPoolEngine
    return partial(MixedEngine, engine_of=engines, makers={"envpool": EnvPoolEngine, "farama": RestartingCopies})


def _task(name: str, reward_version: str, goal_seed: int, tags: tuple[str, ...] = ()) -> Task:
    make = partial(make_env, name, reward_version, goal_seed)
    return Task(name, make, lists.SENTENCES[name], tags, starts=STARTS)


def mt1(
    argument: str = "reach-v3", *, engine: str = "auto", reward_version: str = "v2", goal_seed: int = 0
) -> TaskSuite:
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
