"""``check_suite``: steps every task of a suite and reports what breaks the contract."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import numpy as np

from envs.errors import MissingExtra, SuiteError, one_line
from envs.spaces.excess import reward_warning
from envs.stepping.copies import CheckedEnv, check_distinct
from envs.stepping.vector import MultiTaskVectorEnv
from envs.suite import Task, TaskSuite

ENDLESS_STEPS = 5000  # after so many, an episode is reported as endless
REPEATED_STEPS = 100  # of an episode that is played twice
SEED = 7
STEP_VALUES = ("observation", "reward", "terminated flag", "truncated flag", "success")  # of ``CheckedEnv.step``
ACTION_TOLERANCE = 1e-3  # rounding of an action that passes through wrappers


@dataclass(frozen=True)
class TaskCheck:
    """The report on one task: ``problems`` prevent training, ``remarks`` do not."""

    name: str
    description: str
    obs_size: int = 0
    action_size: int = 0
    horizon: int = 0  # length of the first episode, under random actions
    steps_per_second: float = 0.0
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def check_suite(suite: TaskSuite, max_steps: int = ENDLESS_STEPS) -> list[TaskCheck]:
    """Step every task of a suite with random actions and report what breaks the contract.

    It checks the spaces and every observation, reward and flag of an episode; that episodes end; that the same seed and
    actions give the same episode; and that a suite's simulator agrees with the tasks' environments.

    Args:
        suite: The suite. Its held-out tasks are not checked; pass ``suite.held_out_suite()`` to check them.
        max_steps: Number of steps after which an episode is reported as endless.

    Returns:
        A report per task, with ``problems`` that prevent training and ``remarks`` that do not.

    Raises:
        MissingExtra: A package that the suite needs is not installed. A subclass of ``SuiteError``.

    Example:
        >>> reports = mtrl.check_suite(mtrl.make_suite("tabletop").only(["push"]))
        >>> reports[0].problems, reports[0].obs_size
        ((), 15)
    """
    reports = [_check_task(task, max_steps) for task in suite.tasks]
    duplicates = _duplicates(suite.tasks)
    reports = [_with_remark(report, duplicates.get(report.name)) for report in reports]
    # A simulator that is not used for scoring is another engine, which may differ from the environments.
    one_engine = suite.simulator is not None and not suite.score_in_environments
    if one_engine and not any(report.problems for report in reports):
        problem = _simulator_problem(suite)
        if problem:
            reports[0] = TaskCheck(reports[0].name, reports[0].description, problems=(problem,))
    return reports


def check_unseen(suite: TaskSuite, trained: Sequence[TaskCheck], max_steps: int = ENDLESS_STEPS) -> list[TaskCheck]:
    """Check a suite's held-out tasks, and that an agent trained on the ``trained`` tasks can play them.

    Returns an empty list if there are none.
    """
    if not suite.held_out:
        return []
    limits = [max(sizes) for sizes in zip(*((one.obs_size, one.action_size) for one in trained), strict=True)]
    if any(one.problems for one in trained):
        limits = [math.inf, math.inf]  # the trained sizes are unknown
    return [
        replace(report, problems=(*report.problems, *_too_large(report, *limits)))
        for report in check_suite(suite.held_out_suite(), max_steps)
    ]


def _with_remark(report: TaskCheck, other: str | None) -> TaskCheck:
    if other is None:
        return report
    remark = (
        f"task {report.name!r}: its sentence and parameters are those of {other!r}, so an agent that reads nothing "
        "else cannot distinguish them"
    )
    return replace(report, remarks=(*report.remarks, remark))


def _too_large(report: TaskCheck, obs: float, action: float) -> Iterator[str]:
    """Yield a problem for each size of a held-out task that exceeds the largest trained one."""
    for what, size, limit in (("an observation", report.obs_size, obs), ("an action", report.action_size, action)):
        if size > limit:
            yield (
                f"task {report.name!r}: it is held out and has {size} numbers in {what}, but the trained tasks have at "
                f"most {limit}, so an agent trained on them cannot play it"
            )


def _duplicates(tasks: Sequence[Task]) -> dict[str, str]:
    """Map a task's name to that of the first task with the same sentence and parameters, if it is another."""
    first: dict[Any, str] = {}
    contexts = {task.name: (task.description, tuple(sorted(task.parameters.items()))) for task in tasks}
    return {name: first[key] for name, key in contexts.items() if first.setdefault(key, name) != name}


def _check_task(task: Task, max_steps: int) -> TaskCheck:
    numpy_state, python_state = str(np.random.get_state()), random.getstate()  # noqa: NPY002
    try:
        env, copy = (CheckedEnv(task, task.make_env()) for _ in range(2))
        check_distinct([env, copy])
    except MissingExtra:
        raise  # it is not the task's fault
    except SuiteError as error:
        return TaskCheck(task.name, task.description, problems=(str(error),))
    copy.env.close()
    watch = _ActionWatch(env.env.unwrapped)
    try:
        rollout = _Rollout(env, max_steps)
        repeat = _Rollout(env, min(max_steps, REPEATED_STEPS))
    except SuiteError as error:
        return TaskCheck(task.name, task.description, env.obs_size, env.action_size, problems=(str(error),))
    finally:
        env.env.close()

    problems = []
    prefix = f"task {task.name!r}: "
    if not rollout.ended:
        problems.append(f"{prefix}no episode ended within {max_steps} steps; give the task max_episode_steps")
    compared = [("observations", rollout.obs, repeat.obs), ("rewards", rollout.reward, repeat.reward)]
    compared += [("ends", rollout.ends, repeat.ends), ("success", rollout.success, repeat.success)]
    for what, first, second in compared:
        if not np.array_equal(first[: len(second)], second, equal_nan=True):
            problems.append(
                f"{prefix}reset(seed={SEED}) and the same actions gave different {what}; draw from self.np_random"
            )
            break
    remarks = _remarks(task.name, rollout, watch)
    if str(np.random.get_state()) != numpy_state or random.getstate() != python_state:  # noqa: NPY002
        remarks.append(f"{prefix}it uses or seeds a global random generator, so runs are not reproducible")
    return TaskCheck(
        task.name,
        task.description,
        env.obs_size,
        env.action_size,
        len(rollout.success),
        rollout.steps_per_second,
        tuple(problems),
        tuple(remarks),
    )


def _remarks(task: str, rollout: _Rollout, watch: _ActionWatch) -> list[str]:
    """Return remarks on what is allowed but rarely intended."""
    remarks, prefix = [], f"task {task!r}: "
    if np.isnan(rollout.success).all():
        remarks.append(f"{prefix}info has neither 'success' nor 'is_success', so only returns are reported")
    low, high = rollout.bounds
    outside = float(((rollout.obs < low) | (rollout.obs > high)).any(axis=1).mean())
    if outside:
        remarks.append(f"{prefix}{outside:.0%} of its observations are outside its observation space")
    if line := reward_warning(task, rollout.reward):
        remarks.append(line)
    if watch.farthest:
        remarks.append(
            f"{prefix}inside its wrappers, {watch.name} received actions up to {watch.farthest:.3g} outside its own "
            "action space; give the wrapper those bounds, or rescale, as with gymnasium.wrappers.RescaleAction"
        )
    return remarks


class _Rollout:
    """One episode, at most ``max_steps`` steps, of fixed pseudo-random actions after ``reset(seed=SEED)``."""

    def __init__(self, env: CheckedEnv, max_steps: int) -> None:
        generator = np.random.default_rng(SEED)
        space = env.env.observation_space
        self.bounds = [np.float32(getattr(space, side)) for side in ("low", "high")]  # observations are float32
        self.ended = False
        seen = [env.reset(SEED)]
        success: list[float] = []
        rewards: list[float] = []
        begin = time.perf_counter()
        ends: list[tuple[bool, bool]] = []
        while not self.ended and len(success) < max_steps:
            obs, reward, terminated, truncated, solved = env.step(generator.uniform(-1.0, 1.0, env.action_size))
            seen.append(obs)
            rewards.append(reward)
            success.append(solved)
            ends.append((terminated, truncated))
            self.ended = terminated or truncated
        self.steps_per_second = len(success) / max(time.perf_counter() - begin, 1e-9)
        self.obs, self.reward, self.success = np.array(seen), np.array(rewards), np.array(success)
        self.ends = np.array(ends)  # (steps, 2): terminated, truncated


class _ActionWatch:
    """Watches the actions that reach the innermost environment, whose action space wrappers may hide."""

    def __init__(self, core: gym.Env[Any, Any]) -> None:
        self.name, self.farthest = type(core).__name__, 0.0  # the largest distance from the action space
        space, step = getattr(core, "action_space", None), core.step
        if not isinstance(space, gym.spaces.Box):
            return
        low, high = space.low.astype(np.float64), space.high.astype(np.float64)  # small integers would wrap around

        def watched(action: Any) -> Any:
            if np.shape(action) == space.shape:
                taken = np.asarray(action, dtype=np.float64)
                outside = float(np.maximum(low - taken, taken - high).max(initial=0.0))
                self.farthest = max(self.farthest, outside if outside > ACTION_TOLERANCE else 0.0)
            return step(action)

        core.step = watched  # type: ignore[method-assign]


def _simulator_problem(suite: TaskSuite) -> str | None:
    """Return how the suite's own simulator fails, or where it differs from the single environments; None if neither."""
    singles = [CheckedEnv(task, task.make_env()) for task in suite.tasks]
    try:
        difference = _difference(suite, singles)
        return difference and f"suite {suite.name!r}: its simulator and the environment of {difference}"
    except SuiteError:
        raise
    except Exception as error:  # noqa: BLE001  (a simulator of the user's may raise anything)
        return f"suite {suite.name!r}: its simulator failed: {one_line(error)}"
    finally:
        for single in singles:
            single.env.close()


def _difference(suite: TaskSuite, singles: Sequence[CheckedEnv]) -> str | None:
    """Play the simulator and the environments side by side, from the same seeds and actions, until an episode ends."""
    vector = MultiTaskVectorEnv(suite, 1)
    generator = np.random.default_rng(SEED)
    rows, _ = vector.reset(seed=[SEED] * vector.num_envs)
    own: list[tuple[Any, ...]] = [(single.reset(SEED),) for single in singles]  # the first of STEP_VALUES
    simulated: list[tuple[Any, ...]] = [(row,) for row in rows]
    for _ in range(REPEATED_STEPS + 1):
        difference = _first_difference(suite.task_names, own, simulated)
        if difference or any(any(step[2:4]) for step in own):
            break
        actions = generator.uniform(-1.0, 1.0, vector.action_space.shape or ())
        own = [single.step(action) for single, action in zip(singles, actions, strict=True)]
        _, reward, terminated, truncated, info = vector.step(actions)
        simulated = [*zip(info["final_obs"], reward, terminated, truncated, info["success"], strict=True)]
    vector.close()
    return difference


def _first_difference(
    names: Sequence[str], own: Sequence[tuple[Any, ...]], simulated: Sequence[tuple[Any, ...]]
) -> str | None:
    """Return the first task whose step differs, and in which of its values, or None."""
    for name, expected, step in zip(names, own, simulated, strict=True):
        for what, value, other in zip(STEP_VALUES, expected, step, strict=False):
            same = other[: len(value)] if what == "observation" else other
            if not np.allclose(value, same, atol=1e-5, equal_nan=True):
                return f"{name!r} differ in the {what}"
    return None
