"""What checkpoints and guards cost of the time of a training, with and without in turn in one process."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console

from agents.base import Agent
from agents.replay import Replay
from envs.stepping.copies import CheckedEnv
from mtrl.checkpoints.saving import MIN_INTERVAL, Saving
from mtrl.config import TrainConfig
from mtrl.config.defaults import default_config
from mtrl.rollout.tensor_env import TensorEnv
from mtrl.training.assemble import agent_of, sampler_of, suite_of
from mtrl.training.finite import FiniteGuard
from mtrl.training.loop import Training
from mtrl.training.moment import Moment
from mtrl.training.replay_size import replay_of
from tests.faults.outcome import Measured

MOST = 0.02  # of the time
WARM_UP = 100  # steps of every copy
BLOCK = 4  # steps of every copy, with or without guards: so few that both halves of a pair meet the same machine
STEPS = 25  # of every copy, after a checkpoint or not


class Trained(NamedTuple):
    """A training in this process, with the settings that a user gets who gives none."""

    config: TrainConfig[Any]
    agent: Agent
    replay: Replay
    guard: FiniteGuard
    training: Training


class Unwatched:
    """In place of the guard: looks at nothing."""

    def action(self, *_: object) -> None:
        """Let every action pass."""

    update = __call__ = action


def cost_of_guards(folder: Path, pairs: int) -> Measured:
    """Train blocks with and without the guards: of numbers that are not finite, and of what environments return."""
    shares = {}
    for suite, guards in (("tabletop", _finite), ("pendulum-gravity", _environments)):
        with _trained(suite, "care") as made:
            shares[suite] = _share(made, guards, pairs)
    words = ", ".join(f"{suite} {100 * share:+.1f} %" for suite, share in shares.items())
    return Measured(words, max(shares.values()) <= MOST, [])


def cost_of_checkpoints(folder: Path, pairs: int) -> Measured:
    """Train blocks with and without a checkpoint, each of as many transitions as come between two."""
    with _trained("tabletop", "care") as made:
        parts = {"training": made.training}
        saving = Saving(folder, parts, {}, made.replay, made.config, Console(quiet=True))
        begin = time.perf_counter()
        _advance(made.training, STEPS)
        rows = round(MIN_INTERVAL / (time.perf_counter() - begin) * STEPS * made.config.envs_per_task)
        saved, costs = list[float](), list[float]()
        for _ in range(pairs):
            _fill(made.replay, rows)
            without = _seconds(lambda: _advance(made.training, STEPS))
            save = _seconds(lambda: saving.save(made.training.step))
            costs.append(save + _seconds(lambda: _advance(made.training, STEPS)) - without)
            saved.append(save)
        cost = statistics.median(costs)
        share = cost / (saving._interval() + cost)
    words = f"{100 * share:.1f} % ({cost:.2f} s for {rows:,} transitions a task, every {saving._interval():.0f} s)"
    return Measured(words, share <= MOST, [])


def _share(made: Trained, without: Callable[[Training], Any], pairs: int) -> float:
    """Return how much longer the processor works with guards, the median over pairs of blocks in changing order.

    What is done with each line of the log is measured apart, and spread over the steps between two lines.
    """
    ratios, plain, kept = list[float](), list[float](), list[float]()
    for k in range(pairs):
        seconds = {}
        for guarded in (True, False) if k % 2 else (False, True):
            with nullcontext() if guarded else without(made.training):
                begin = time.process_time()
                moment = _advance(made.training, BLOCK)
                seconds[guarded] = time.process_time() - begin
        begin = time.process_time()
        made.guard(moment)
        kept.append(time.process_time() - begin)
        plain.append(seconds[False])
        ratios.append(seconds[True] / seconds[False])
    between = made.config.log_every / made.config.envs_per_task / BLOCK * statistics.median(plain)
    return statistics.median(ratios) - 1.0 + statistics.median(kept) / between


@contextmanager
def _finite(training: Training) -> Iterator[None]:
    """Leave out the guard of finite numbers."""
    guard, training._guard = training._guard, Unwatched()  # type: ignore[assignment]
    try:
        yield
    finally:
        training._guard = guard


@contextmanager
def _environments(training: Training) -> Iterator[None]:
    """Leave out that guard, and the checks of what environments return."""
    former = {name: value for name, value in vars(CheckedEnv).items() if name.startswith("_checked")}
    CheckedEnv._checked_obs = lambda self, obs, source: np.asarray(obs, np.float32)  # type: ignore[method-assign]
    CheckedEnv._checked_reward = lambda self, reward: float(reward)  # type: ignore[method-assign]
    CheckedEnv._checked_flag = lambda self, flag, name: bool(flag)  # type: ignore[method-assign]
    CheckedEnv._checked_success = lambda self, info: float(info.get("success", np.nan))  # type: ignore[method-assign]
    try:
        with _finite(training):
            yield
    finally:
        for name, value in former.items():
            setattr(CheckedEnv, name, value)


@contextmanager
def _trained(suite_name: str, agent_name: str) -> Iterator[Trained]:
    """Make a training that is past its random actions."""
    config = default_config(suite_name, agent_name)
    config = dataclasses.replace(config, threads=1, workers=0, random_steps=WARM_UP)
    torch.set_num_threads(1)
    suite, device = suite_of(config), torch.device("cpu")
    with closing(TensorEnv(suite, config.envs_per_task, device)) as env:
        agent, _ = agent_of(config, suite, env)
        replay, _ = replay_of(config, env)
        guard = FiniteGuard(agent, device)
        training = Training(config, env, agent, replay, sampler_of(config, env), guard)
        _advance(training, WARM_UP)
        yield Trained(config, agent, replay, guard, training)


def _advance(training: Training, steps: int) -> Moment:
    return [training.advance() for _ in range(steps)][-1]


def _fill(replay: Replay, rows: int) -> None:
    """Add so many transitions of every task, copies of those that it has."""
    own = replay.rows_between(replay.added - replay.size, replay.added)
    replay.put_rows(own.repeat(1, rows // replay.size + 1, 1)[:, :rows], replay.added)


def _seconds(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
